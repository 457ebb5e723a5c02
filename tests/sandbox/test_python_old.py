"""Commits of the days of Python 2.7: when it is chosen, and what they are given then."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.repos import Repo
from support.tasks import running

from core.git import Repository
from sandbox.base import FUNCTIONS
from sandbox.ci import Workflow
from sandbox.docker import DockerEngine
from sandbox.ecosystems import python_dated_index
from sandbox.ecosystems.python import project
from sandbox.ecosystems.python_syntax import has_old_syntax
from sandbox.ecosystems.python_version import versions
from sandbox.engine import Limits
from sandbox.facts import Facts
from sandbox.image import Images
from sandbox.interpreters import find_python
from sandbox.network import Network
from sandbox.recipe import EnvironmentSettings
from sandbox.results import Status
from sandbox.suite import run_suite
