"""Unpacks the judge for root's eyes alone, and starts it: see portable.py.

Run as root with `python3 -I -S -B judge.pyz`, on Python 3.11 or newer.
"""
import os
import shutil
import sys
import tempfile
import zipfile

if sys.version_info < (3, 11):
    sys.exit("the judge needs Python 3.11 or newer, this is {}.{}".format(*sys.version_info))
if os.geteuid() != 0:
    sys.exit("the judge has to run as root: what it judges runs as another user")
home = tempfile.mkdtemp(prefix="patchmark-judge-")
try:
    with zipfile.ZipFile(sys.argv[0]) as packed:
        packed.extractall(home)
    sys.path[0] = home
    import portable

    code = portable.main(sys.argv[1:])
finally:
    shutil.rmtree(home, ignore_errors=True)
sys.exit(code)
