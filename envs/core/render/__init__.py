"""Pictures of scenes: SVG, pixels, terminal text, JSON, and the replay page.

None needs a display or the network.
"""

from __future__ import annotations

from typing import Any

from ludarium.envs.core.errors import ConfigError, did_you_mean
from ludarium.envs.core.render.ansi import ansi
from ludarium.envs.core.render.browser import scene_json
from ludarium.envs.core.render.page import notebook_html, page_html, write_page
from ludarium.envs.core.render.rgb import rgb_array
from ludarium.envs.core.render.svg import svg
from ludarium.envs.core.scene import Scene

__all__ = ["notebook_html", "page_html", "render", "write_page"]

MODES = {"svg": svg, "rgb_array": rgb_array, "ansi": ansi}


def render(scene: Scene, mode: str, theme: str = "light", **options: Any) -> Any:
    """Draw `scene`: "svg" gives a str, "rgb_array" uint8[H, W, 3], "ansi" a str for terminals, "json" a dict.

    `options` are those of the mode (`size` in pixels; `columns` and `color` for "ansi"). Raises
    `ConfigError` for a mode or theme that does not exist.
    """
    if mode == "json":
        return scene_json(scene)
    if mode not in MODES:
        raise ConfigError(f"no render mode is named {mode!r}{did_you_mean(mode, [*MODES, 'json'])}")
    return MODES[mode](scene, theme, **options)  # type: ignore[operator]
