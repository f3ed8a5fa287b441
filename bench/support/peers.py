"""Programs of others that Stela is measured beside, from PyPI, in a venv of the build folder."""
import os
import subprocess
import sys

from .mounted import SOURCE

VENV = SOURCE / "build/bench-venv"


def run_in_venv(*packages):
    """Makes the venv, installs what is missing of `packages`, and goes on in it: this call returns only there.
    A package that is imported by another name than it is installed by is "IMPORTED=INSTALLED". One that does not
    install is named and left out; find it out with `available`."""
    python = VENV / "bin/python"
    if sys.prefix == str(VENV):
        return
    if not python.exists():
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(VENV)], check=True)
    for words in packages:
        imported, _, package = words.rpartition("=")
        probe = f"import {imported or package}"
        if subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode == 0:
            continue
        done = subprocess.run([python, "-m", "pip", "-q", "--disable-pip-version-check", "install", package],
                              capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 0:
            print(f"{package} does not install: {(done.stderr.strip().splitlines() or ['?'])[-1]}", file=sys.stderr)
    os.execv(python, [str(python), *sys.argv])


def available(package):
    try:
        __import__(package)
    except ImportError:
        return False
    return True
