"""A small repository in each ecosystem: add() subtracts until it is fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Sample:
    """Files with a bug, the fix, the tests that the fix brings, and what these are called."""

    files: Mapping[str, str]
    fix: Mapping[str, str]
    tests: Mapping[str, str]
    fixed: str
    kept: str
    settings: Mapping[str, object] = field(default_factory=dict)


_NODE = {"calc.js": "exports.add = (a, b) => a - b;\nexports.sub = (a, b) => a - b;\n"}
_NODE_FIX = {"calc.js": _NODE["calc.js"].replace("a - b", "a + b", 1)}
_NODE_SUB = """const test = require('node:test');
const assert = require('node:assert');
const { add, sub } = require('../calc.js');
test('sub', () => assert.equal(sub(5, 3), 2));
"""
NODE = Sample(
    files={
        **_NODE,
        "package.json": '{"name": "calc", "scripts": {"test": "node --test"}}\n',
        "test/calc.test.js": _NODE_SUB,
    },
    fix=_NODE_FIX,
    tests={"test/calc.test.js": _NODE_SUB + "test('add', () => assert.equal(add(2, 3), 5));\n"},
    fixed="add",
    kept="sub",
)

_GO = """package calc

func Add(a, b int) int { return a - b }

func Sub(a, b int) int { return a - b }
"""
_GO_SUB = """package calc

import "testing"

func TestSub(t *testing.T) {
	if Sub(5, 3) != 2 {
		t.Fatal("sub")
	}
}
"""
_GO_ADD = """
func TestAdd(t *testing.T) {
	if Add(2, 3) != 5 {
		t.Fatal("add")
	}
}
"""
GO = Sample(
    files={
        "go.mod": "module example.org/calc\n\ngo 1.19\n",
        "calc.go": _GO,
        "calc_test.go": _GO_SUB,
    },
    fix={"calc.go": _GO.replace("a - b", "a + b", 1)},
    tests={"calc_test.go": _GO_SUB + _GO_ADD},
    fixed="example.org/calc::TestAdd",
    kept="example.org/calc::TestSub",
)

_GO_MUL = """
func TestMul(t *testing.T) {
	if Mul(2, 3) != 6 {
		t.Fatal("mul")
	}
}
"""
GO_NEW_NAME = Sample(
    files=GO.files,
    fix={"calc.go": _GO + "\nfunc Mul(a, b int) int { return a * b }\n"},
    tests={"calc_test.go": _GO_SUB + _GO_MUL},
    fixed="example.org/calc::TestMul",
    kept="example.org/calc::TestSub",
)

_RUST = """pub fn add(a: i32, b: i32) -> i32 {
    a - b
}

pub fn sub(a: i32, b: i32) -> i32 {
    a - b
}
"""
_RUST_SUB = "use calc::*;\n\n#[test]\nfn subtracts() {\n    assert_eq!(sub(5, 3), 2);\n}\n"
_RUST_ADD = "\n#[test]\nfn adds() {\n    assert_eq!(add(2, 3), 5);\n}\n"
RUST = Sample(
    files={
        "Cargo.toml": '[package]\nname = "calc"\nversion = "0.1.0"\nedition = "2021"\n',
        "src/lib.rs": _RUST,
        "tests/calc.rs": _RUST_SUB,
    },
    fix={"src/lib.rs": _RUST.replace("a - b", "a + b", 1)},
    tests={"tests/calc.rs": _RUST_SUB + _RUST_ADD},
    fixed="tests/calc.rs::adds",
    kept="tests/calc.rs::subtracts",
)

_C = """#include "calc.h"

int add(int a, int b) { return a - b; }
int sub(int a, int b) { return a - b; }
"""
_CMAKE = """cmake_minimum_required(VERSION 3.16)
project(calc C)
include(CTest)
add_subdirectory(tests)
add_library(calc calc.c)
target_include_directories(calc PUBLIC .)
"""
_CMAKE_TESTS = """foreach(name sub)
  add_executable(test_${name} test_${name}.c)
  target_link_libraries(test_${name} calc)
  add_test(NAME ${name} COMMAND test_${name})
endforeach()
"""
CMAKE = Sample(
    files={
        "CMakeLists.txt": _CMAKE,
        "calc.h": "int add(int a, int b);\nint sub(int a, int b);\n",
        "calc.c": _C,
        "tests/CMakeLists.txt": _CMAKE_TESTS,
        "tests/test_sub.c": '#include "calc.h"\nint main(void) { return sub(5, 3) != 2; }\n',
    },
    fix={"calc.c": _C.replace("a - b", "a + b", 1)},
    tests={
        "tests/CMakeLists.txt": _CMAKE_TESTS.replace("sub", "sub add"),
        "tests/test_add.c": '#include "calc.h"\nint main(void) { return add(2, 3) != 5; }\n',
    },
    fixed="add::add",
    kept="sub::sub",
)

_PHP = """<?php
function add($a, $b) { return $a - $b; }
function sub($a, $b) { return $a - $b; }
"""
_PHP_SUB = """<?php
require_once __DIR__ . '/../src/calc.php';

class CalcTest extends PHPUnit\\Framework\\TestCase
{
    public function testSub(): void
    {
        $this->assertSame(2, sub(5, 3));
    }
"""
_PHP_ADD = """
    public function testAdd(): void
    {
        $this->assertSame(5, add(2, 3));
    }
"""
PHP = Sample(
    files={
        "composer.json": '{"name": "example/calc"}\n',
        "src/calc.php": _PHP,
        "tests/CalcTest.php": _PHP_SUB + "}\n",
    },
    fix={"src/calc.php": _PHP.replace("$a - $b", "$a + $b", 1)},
    tests={"tests/CalcTest.php": _PHP_SUB + _PHP_ADD + "}\n"},
    fixed="CalcTest::testAdd",
    kept="CalcTest::testSub",
)

_RUBY = "module Calc\n  def self.add(a, b) = a - b\n  def self.sub(a, b) = a - b\nend\n"
_RUBY_SUB = """require "minitest/autorun"
require "calc"

class TestCalc < Minitest::Test
  def test_sub
    assert_equal 2, Calc.sub(5, 3)
  end
"""
RUBY = Sample(
    files={"lib/calc.rb": _RUBY, "test/test_calc.rb": _RUBY_SUB + "end\n"},
    fix={"lib/calc.rb": _RUBY.replace("a - b", "a + b", 1)},
    tests={
        "test/test_calc.rb": _RUBY_SUB
        + "\n  def test_add\n    assert_equal 5, Calc.add(2, 3)\n  end\nend\n"
    },
    fixed="TestCalc#test_add",
    kept="TestCalc#test_sub",
)
_SPEC = """require "calc"

RSpec.describe Calc do
  it("subtracts") { expect(Calc.sub(5, 3)).to eq 2 }
"""
RSPEC = Sample(
    files={"lib/calc.rb": _RUBY, "spec/calc_spec.rb": _SPEC + "end\n"},
    fix={"lib/calc.rb": _RUBY.replace("a - b", "a + b", 1)},
    tests={"spec/calc_spec.rb": _SPEC + '  it("adds") { expect(Calc.add(2, 3)).to eq 5 }\nend\n'},
    fixed="spec/calc_spec.rb::Calc adds",
    kept="spec/calc_spec.rb::Calc subtracts",
)

_JAVA = """package org.example;

public class Calc {
    public static int add(int a, int b) { return a - b; }
    public static int sub(int a, int b) { return a - b; }
}
"""
_JAVA_SUB = """package org.example;

import static org.junit.Assert.assertEquals;
import org.junit.Test;

public class CalcTest {
    @Test public void sub() { assertEquals(2, Calc.sub(5, 3)); }
"""
_JAVA_ADD = "    @Test public void add() { assertEquals(5, Calc.add(2, 3)); }\n"
_JAVA_FILES = {
    "src/main/java/org/example/Calc.java": _JAVA,
    "src/test/java/org/example/CalcTest.java": _JAVA_SUB + "}\n",
}
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.example</groupId>
  <artifactId>calc</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <build>
    <plugins>
      <plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.0</version></plugin>
      <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.10.1</version></plugin>
      <plugin><artifactId>maven-surefire-plugin</artifactId><version>2.22.3</version></plugin>
    </plugins>
  </build>
  <dependencies>
    <dependency>
      <groupId>junit</groupId>
      <artifactId>junit</artifactId>
      <version>4.13.2</version>
      <scope>test</scope>
    </dependency>
  </dependencies>
</project>
"""
_GRADLE = """apply plugin: 'java'
dependencies {
    testCompile files('/usr/share/java/junit4.jar', '/usr/share/java/hamcrest-core.jar')
}
"""
_JAVA_REST = {
    "fix": {"src/main/java/org/example/Calc.java": _JAVA.replace("a - b", "a + b", 1)},
    "tests": {"src/test/java/org/example/CalcTest.java": _JAVA_SUB + _JAVA_ADD + "}\n"},
}
MAVEN = Sample(
    files={**_JAVA_FILES, "pom.xml": _POM},
    **_JAVA_REST,
    fixed="org.example.CalcTest::add",
    kept="org.example.CalcTest::sub",
)
GRADLE = Sample(
    files={
        **_JAVA_FILES,
        "build.gradle": _GRADLE,
        "settings.gradle": "rootProject.name = 'calc'\n",
    },
    **_JAVA_REST,
    fixed="org.example.CalcTest::add",
    kept="org.example.CalcTest::sub",
)

_SHELL = "#!/bin/sh\necho $(($1 - $2))\n"
SHELL = Sample(
    files={"add.sh": _SHELL, "checks/sub.sh": 'test "$(sh add.sh 5 5)" != 1\n'},
    fix={"add.sh": _SHELL.replace("-", "+")},
    tests={"checks/add.sh": 'test "$(sh add.sh 2 3)" = 5\n'},
    fixed="sh checks/add.sh",
    kept="sh checks/sub.sh",
    settings={"test": ("sh checks/add.sh", "sh checks/sub.sh"), "results": "exit-code"},
)
IN_A_FOLDER = Sample(
    files={"sub/add.sh": _SHELL, "sub/checks/sub.sh": 'test "$(sh add.sh 5 5)" != 1\n'},
    fix={"sub/add.sh": _SHELL.replace("-", "+")},
    tests={"sub/checks/add.sh": 'test "$(sh add.sh 2 3) $MODE $(cat /tmp/up)" = "5 fast up"\n'},
    fixed="sh checks/add.sh",
    kept="sh checks/sub.sh",
    settings={
        **SHELL.settings,
        "workdir": "sub",
        "variables": {"MODE": "fast"},
        "services": ("echo up > /tmp/up; sleep 100",),
    },
)

_PY = "def add(a, b):\n    return a - b\n\n\ndef sub(a, b):\n    return a - b\n"
_UNITTEST = """import unittest

from calc import add, sub


class CalcTest(unittest.TestCase):
    def test_sub(self):
        self.assertEqual(sub(5, 3), 2)
"""
_UNITTEST_ADD = "\n    def test_add(self):\n        self.assertEqual(add(2, 3), 5)\n"
UNITTEST = Sample(
    files={
        "setup.py": "from setuptools import setup\nNAME = 'calc'\n"
        "setup(name=NAME, py_modules=['calc'])\n",
        "calc.py": _PY,
        "checks/tests.py": _UNITTEST,
    },
    fix={"calc.py": _PY.replace("a - b", "a + b", 1)},
    tests={"checks/tests.py": _UNITTEST + _UNITTEST_ADD},
    fixed="checks/tests.py::CalcTest::test_add",
    kept="checks/tests.py::CalcTest::test_sub",
)
_IN_SRC = """[project]
name = "calc"
version = "1"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[dependency-groups]
test = [{include-group = "more"}]
more = ["six"]
"""
MONOREPO = Sample(
    files={
        "libs/calc/pyproject.toml": _IN_SRC,
        "libs/calc/src/calc/__init__.py": _PY,
        "tests/test_calc.py": "import six\n" + _UNITTEST,
    },
    fix={"libs/calc/src/calc/__init__.py": _PY.replace("a - b", "a + b", 1)},
    tests={"tests/test_calc.py": "import six\n" + _UNITTEST + _UNITTEST_ADD},
    fixed="tests/test_calc.py::CalcTest::test_add",
    kept="tests/test_calc.py::CalcTest::test_sub",
)
_EXTENSION = """#include <Python.h>

static PyObject *add(PyObject *self, PyObject *args) {
    long a, b;
    if (!PyArg_ParseTuple(args, "ll", &a, &b)) return NULL;
    return PyLong_FromLong(a - b);
}

static PyObject *sub(PyObject *self, PyObject *args) {
    long a, b;
    if (!PyArg_ParseTuple(args, "ll", &a, &b)) return NULL;
    return PyLong_FromLong(a - b);
}

static PyMethodDef methods[] = {
    {"add", add, METH_VARARGS, ""}, {"sub", sub, METH_VARARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "calc", "", -1, methods};
PyMODINIT_FUNC PyInit_calc(void) { return PyModule_Create(&module); }
"""
COMPILED = Sample(
    files={
        "setup.py": "from setuptools import Extension, setup\n"
        "setup(name='calc', ext_modules=[Extension('calc', ['calc.c'])])\n",
        "calc.c": _EXTENSION,
        "tests/test_calc.py": _UNITTEST,
    },
    fix={"calc.c": _EXTENSION.replace("a - b", "a + b", 1)},
    tests={"tests/test_calc.py": _UNITTEST + _UNITTEST_ADD},
    fixed="tests/test_calc.py::CalcTest::test_add",
    kept="tests/test_calc.py::CalcTest::test_sub",
)
# Syntax that no Python 3 reads, and what its days had beside setup.py: no pyproject.
_PY2 = _PY + "\n\ndef show(a):\n    print 'a', a\n"
PYTHON_2 = Sample(
    files={
        "setup.py": "from setuptools import setup\n"
        "setup(name='calc', version='1', py_modules=['calc'], install_requires=['six'])\n",
        "calc.py": _PY2,
        "tests/test_calc.py": "import six\n" + _UNITTEST,
    },
    fix={"calc.py": _PY2.replace("a - b", "a + b", 1)},
    tests={"tests/test_calc.py": "import six\n" + _UNITTEST + _UNITTEST_ADD},
    fixed="tests/test_calc.py::CalcTest::test_add",
    kept="tests/test_calc.py::CalcTest::test_sub",
    settings={"python": "2.7"},
)
PYTHON_3_6 = replace(UNITTEST, settings={"python": "3.6"})
SAMPLES = {
    "python, found by unittest": UNITTEST,
    "python 2.7": PYTHON_2,
    "python 3.6": PYTHON_3_6,
    "python, packages in folders": MONOREPO,
    "python, compiled": COMPILED,
    "node": NODE,
    "go": GO,
    "go, tests that do not compile before the fix": GO_NEW_NAME,
    "rust": RUST,
    "cmake": CMAKE,
    "php": PHP,
    "ruby": RUBY,
    "rspec": RSPEC,
    "maven": MAVEN,
    "gradle": GRADLE,
    "shell": SHELL,
    "shell, in a folder with services": IN_A_FOLDER,
}
