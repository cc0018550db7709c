#!/bin/sh
# Print the path of a Python that can carry this project: 3.12 or newer, with venv and ensurepip.
# Order: the one of .venv, $PYTHON, python3, named versions, pyenv's version of .python-version, any other version of pyenv.
here=$(cd "$(dirname "$0")/.." && pwd)
pyenv_versions="${PYENV_ROOT:-$HOME/.pyenv}/versions"
wanted=$(cat "$here/.python-version" 2>/dev/null)
without_ensurepip=
too_old=

try() {
    path=$(command -v "$1" 2>/dev/null) || return 1
    # A shim of pyenv is there for every version, yet runs only the chosen ones: ask, don't look.
    found=$("$path" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return 1
    if ! "$path" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
        too_old="$too_old $path ($found)"
        return 1
    fi
    if ! "$path" -c 'import venv, ensurepip' 2>/dev/null; then
        without_ensurepip="$without_ensurepip $path ($found)"
        return 1
    fi
    "$path" -c 'import sys; print(sys.executable)'
}

for candidate in "$here/.venv/bin/python" ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.14 \
    "$pyenv_versions/$wanted"/bin/python "$pyenv_versions/$wanted".*/bin/python \
    "$pyenv_versions"/3.1[2-9]*/bin/python "$pyenv_versions"/3.[2-9][0-9]*/bin/python; do
    try "$candidate" && exit 0
done

{
    if [ -n "$without_ensurepip" ]; then
        echo "Python is new enough but lacks venv or ensurepip:$without_ensurepip"
        echo "Install them, for example on Debian or Ubuntu: apt-get install python3-venv (or python3.13-venv)."
    elif [ -n "$too_old" ]; then
        echo "Python 3.12 or newer is needed; found only:$too_old"
        echo "Install one, for example: apt-get install python3.13 python3.13-venv, brew install python@3.13,"
        echo "or pyenv install 3.13. It is found by itself; PYTHON=/path/to/python make run names one."
    else
        echo "No Python found. Install Python 3.12 or newer with venv, for example:"
        echo "apt-get install python3 python3-venv, or brew install python@3.13, or pyenv install 3.13."
    fi
} >&2
exit 1
