"""What a user installs: one package, nothing beside it, working without the clone, a display or a home."""

import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[1]
MAIN = "from ludarium.leaderboards.cli import main; main()"
QUICK = (
    "run",
    "mapf-quick",
    "--agent",
    "pibt",
    "--case",
    "random-032",
    "--episodes",
    "1",
    "--jobs",
    "0",
    "--out",
    "run",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel made from the sdist, as an index would serve it."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("*.whl")
    assert list(out.glob("*.tar.gz"))
    return wheel


@pytest.fixture(scope="module")
def site(built, tmp_path_factory):
    """The wheel unpacked by pip into a folder that nobody may write."""
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-compile",
        "--target",
        str(folder),
        str(built),
    ]
    subprocess.run(command, check=True, capture_output=True)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)


def python(site, cwd, *arguments):
    """Run the installed package: no HOME, no display, no compiler on the path, nothing of the clone."""
    environment = {"PYTHONPATH": str(site), "PATH": "/nonexistent", "TMPDIR": str(cwd)}
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_one_package_and_its_data(built):
    names = zipfile.ZipFile(built).namelist()
    plugin = "pytest_ludarium.py"  # beside the package: pytest loads it at every start, without Gymnasium
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"ludarium", plugin}
    for wanted in (
        "ludarium/py.typed",
        "ludarium/testing.py",
        "ludarium/envs/core/laws/plugin.py",
        "ludarium/scenarios/mapf-quick.toml",
        "ludarium/envs/core/render/page.html",
    ):
        assert wanted in names
    assert "ludarium/leaderboards/tracks/mapf-lifelong-quick.toml" in names
    assert not any("__pycache__" in name or "/boards/" in name for name in names)


def test_an_installed_package_plays_and_verifies_outside_the_clone(site, tmp_path):
    assert str(site) in python(site, tmp_path, "-c", "import ludarium; print(ludarium.__file__)")
    code = "import importlib.util as u; print([n for n in ('envs', 'agents', 'scenarios') if u.find_spec(n)])"
    assert python(site, tmp_path, "-c", code).strip() == "[]"
    python(site, tmp_path, "-c", MAIN, *QUICK)
    assert "verified" in python(site, tmp_path, "-c", MAIN, "verify", "run")


def test_the_clone_exposes_no_generic_names(tmp_path):
    code = "import importlib.util as u; print([n for n in ('envs', 'agents', 'scenarios', 'tests') if u.find_spec(n)])"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
