"use strict";
// The movie as `envs/core/render/browser.py` writes it: a zlib stream of a JSON header and columns of integers.

const INTEGERS = { i1: Int8Array, i2: Int16Array, i4: Int32Array };

async function inflate(base64) {
  const packed = Uint8Array.from(atob(base64.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

async function readMovie(base64) {
  const buffer = await inflate(base64);
  let at = 4 + new DataView(buffer).getUint32(0, true);
  const movie = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, at - 4)));
  const columns = movie.columns.map(([kind, count]) => {
    const Integers = INTEGERS[kind];
    const end = at + count * Integers.BYTES_PER_ELEMENT;
    const values = new Integers(buffer.slice(at, end));
    at = end;
    return values;
  });
  for (const sprites of movie.sprites) {
    for (const name of Object.keys(sprites.columns)) {
      sprites[name] = unroll(columns, sprites.columns[name], movie.steps, sprites.count);
    }
    sprites.index = new Map();
    sprites.digits = String(sprites.number.data.reduce((a, b) => Math.max(a, b), 0)).length;
    for (let i = 0; i < sprites.count; i++) sprites.index.set(sprites.number.data[i], i);
  }
  movie.drawn = drawnByStep(movie);
  return movie;
}

// A column is read as data[step * stride + sprite]; what never changes is kept once, with stride 0.
function unroll(columns, place, steps, count) {
  const first = columns[place.first];
  if (place.steps === undefined) return { data: first, stride: 0 };
  const differences = columns[place.steps];
  const data = new Int32Array(steps * count);
  for (let i = 0, k = 0; i < count; i++) {
    let value = first[i];
    data[i] = value;
    for (let t = 1; t < steps; t++) {
      value += differences[k++];
      data[t * count + i] = value;
    }
  }
  return { data, stride: count };
}

// For every step the list of what is drawn (all steps that draw the same share one list).
function drawnByStep(movie) {
  const lists = new Array(movie.steps);
  for (let k = 0; k < movie.frames.length; k++) {
    const end = k + 1 < movie.frames.length ? movie.frames[k + 1][0] : movie.steps;
    lists.fill(movie.frames[k][1], movie.frames[k][0], end);
  }
  return lists;
}

// Where sprite `i` is at the moment `time` (steps and a fraction), in units; null where it is hidden.
function placeOf(sprites, i, time, last) {
  const now = Math.min(Math.floor(time), last);
  const shown = sprites.shown;
  if (!shown.data[now * shown.stride + i]) return null;
  const x = sprites.x, y = sprites.y;
  let px = x.data[now * x.stride + i], py = y.data[now * y.stride + i];
  const next = now + 1;
  if (sprites.glide && time > now && next <= last && shown.data[next * shown.stride + i]) {
    px += (time - now) * (x.data[next * x.stride + i] - px);
    py += (time - now) * (y.data[next * y.stride + i] - py);
  }
  return [px / sprites.scale, py / sprites.scale];
}
