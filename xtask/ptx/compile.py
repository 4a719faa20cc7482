"""Compiles crates/gpu/kernels/requel.cu to PTX: python compile.py FOLDER-OF-THE-SOURCE FILE-TO-WRITE."""

import ctypes
import importlib.util
import pathlib
import sys

# Every operation rounds once, as it is written: none is fused, approximated or flushed to zero.
OPTIONS = [
    "--gpu-architecture=compute_75",
    "--std=c++17",
    "--fmad=false",
    "--prec-div=true",
    "--prec-sqrt=true",
    "--ftz=false",
]


def library(name: str) -> ctypes.CDLL:
    """A library of NVIDIA's package, which is no library of Python's."""
    folders = importlib.util.find_spec("nvidia.cuda_nvrtc").submodule_search_locations
    return ctypes.CDLL(str(pathlib.Path(folders[0]) / "lib" / name), mode=ctypes.RTLD_GLOBAL)


def strings(values: list[bytes]) -> ctypes.Array:
    return (ctypes.c_char_p * len(values))(*values)


class Compiler:
    """One translation unit of NVRTC."""

    def __init__(self, source: pathlib.Path) -> None:
        library("libnvrtc-builtins.so.12.0")
        self.nvrtc = library("libnvrtc.so.12")
        self.unit = ctypes.c_void_p()
        headers = sorted(source.parent.glob("*.cuh"))
        texts, names = strings([h.read_bytes() for h in headers]), strings([h.name.encode() for h in headers])
        made = self.nvrtc.nvrtcCreateProgram(
            ctypes.byref(self.unit), source.read_bytes(), source.name.encode(), len(headers), texts, names
        )
        if made != 0:
            sys.exit(f"nvrtcCreateProgram: {made}")

    def compile(self) -> bytes:
        options = strings([option.encode() for option in OPTIONS])
        compiled = self.nvrtc.nvrtcCompileProgram(self.unit, len(options), options)
        log = self.text("ProgramLog").decode().strip()
        if log:
            print(log, file=sys.stderr)
        if compiled != 0:
            sys.exit(f"nvrtcCompileProgram: {compiled}")
        return self.text("PTX")

    def text(self, what: str) -> bytes:
        size = ctypes.c_size_t()
        getattr(self.nvrtc, f"nvrtcGet{what}Size")(self.unit, ctypes.byref(size))
        text = ctypes.create_string_buffer(size.value)
        getattr(self.nvrtc, f"nvrtcGet{what}")(self.unit, text)
        return text.value


def main() -> None:
    folder, to = (pathlib.Path(argument) for argument in sys.argv[1:])
    to.write_bytes(Compiler(folder / "requel.cu").compile())


if __name__ == "__main__":
    main()
