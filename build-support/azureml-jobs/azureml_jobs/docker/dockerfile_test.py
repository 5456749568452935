from __future__ import annotations

import pytest
from azureml_jobs.docker.dockerfile import base_images


@pytest.mark.parametrize(
    "dockerfile, given, expected",
    [
        ("FROM python:3.11\n", {}, ("python:3.11",)),
        ("# FROM no:1\nARG BASE=python:3.11\nFROM ${BASE}\n", {}, ("python:3.11",)),
        ("ARG BASE=python:3.11\nFROM $BASE\n", {"BASE": "mine:2"}, ("mine:2",)),
        ("ARG TAG='3.11' NAME=python\nFROM $NAME:${TAG}\n", {}, ("python:3.11",)),
        ("ARG TAG\nFROM python:${TAG:-3.11}\n", {}, ("python:3.11",)),
        ("ARG GPU\nFROM python:3.11${GPU:+-cuda}\n", {"GPU": "1"}, ("python:3.11-cuda",)),
        ("from a AS Build\nFROM b\nCOPY --from=build /x /y\nFROM build\n", {}, ("a", "b")),
        ("FROM scratch\n", {}, ()),
        ("FROM \\\n  python:3.11 \\\n  AS base\n", {}, ("python:3.11",)),
        ("FROM --platform=linux/amd64 a:1\nFROM b:1\n", {}, ("b:1",)),
        ("FROM a:1\nARG BASE=c\nFROM ${BASE:-d}\n", {}, ("a:1", "d")),
        ("FROM a@sha256:0123\nRUN echo FROM b\n", {}, ("a@sha256:0123",)),
        ("FROM ${NOTHING}\n", {}, ()),
        ("FROM a:1\nRUN python <<EOF\nfrom b import c\nEOF\nFROM d:1\n", {}, ("a:1", "d:1")),
        ("FROM a:1\nCOPY <<-'X' <<Y /\n\tFROM b\n\tX\nFROM c\nY\nFROM d\n", {}, ("a:1", "d")),
        ("FROM a:1\nRUN echo $((1<<2)) 1 << 2\nFROM d:1\n", {}, ("a:1", "d:1")),
        ("", {}, ()),
    ],
)
def test_finds_the_images_of_from(dockerfile: str, given: dict, expected: tuple) -> None:
    assert base_images(dockerfile, given) == expected
