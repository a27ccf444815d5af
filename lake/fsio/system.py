"""The lowest door: every change that lake makes to a file system goes through `current`.

One object with one method per kind of change, so that the crash tests can put a recorder in
its place (`lake.testing.crash`). Nothing else in lake calls `os.rename`, `os.fsync` and the like.
"""

from __future__ import annotations

import errno
import os
import sys

from lake.fsio import native

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class System:
    """The real file system. Names are relative to a directory's descriptor."""

    def create(self, name: str, dir_fd: int, mode: int = 0o666) -> int:
        """A new file, open for reading and writing; `FileExistsError` if there is one."""
        return os.open(name, _NEW, mode, dir_fd=dir_fd)

    def write(self, fd: int, data: bytes | bytearray | memoryview) -> None:
        """All of `data`, where the file stands."""
        done = os.write(fd, data)
        if done != len(data):
            view = memoryview(data)
            while done < len(data):
                done += os.write(fd, view[done:])

    def pwrite(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        """All of `data`, at `offset`."""
        view, done = memoryview(data), 0
        while done < len(view):
            done += os.pwrite(fd, view[done:], offset + done)

    def copy(self, src_fd: int, dst_fd: int, count: int) -> int:
        """At most `count` bytes from where `src_fd` stands, without passing through here.

        Returns the bytes copied, 0 at the end. Raises `OSError` in `native.MISSING` or EXDEV
        where the kernel cannot.
        """
        if not hasattr(os, "copy_file_range"):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        return os.copy_file_range(src_fd, dst_fd, count)

    def clone(self, src_fd: int, dst_fd: int) -> None:
        """Share the blocks of `src_fd`; `OSError` in `native.MISSING` or EXDEV if it cannot."""
        native.clone(src_fd, dst_fd)

    def fsync(self, fd: int) -> None:
        """The file's bytes, or the directory's entries, are durable at return."""
        if sys.platform == "darwin":
            import fcntl

            try:
                fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
                return
            except OSError as error:
                if error.errno not in native.MISSING:
                    raise
        os.fsync(fd)

    def syncfs(self, fd: int) -> None:
        """All of the file system that `fd` lies on is durable at return."""
        native.syncfs(fd)

    def syncs_whole(self, fd: int) -> bool:
        """Whether `syncfs` can stand for an fsync of each file and directory."""
        return native.syncs_whole(fd)

    def rename(self, src: str, src_fd: int, dst: str, dst_fd: int) -> None:
        """Atomically give `src` the name `dst`, in place of what had it."""
        os.rename(src, dst, src_dir_fd=src_fd, dst_dir_fd=dst_fd)

    def rename_new(self, src: str, src_fd: int, dst: str, dst_fd: int) -> None:
        """The same, but `FileExistsError` if `dst` exists; `native.MISSING` if it cannot."""
        native.rename_new(src, src_fd, dst, dst_fd)

    def exchange(self, one: str, one_fd: int, other: str, other_fd: int) -> None:
        """Atomically swap what two names stand for; `native.MISSING` if it cannot."""
        native.exchange(one, one_fd, other, other_fd)

    def link(self, src: str, src_fd: int | None, dst: str, dst_fd: int) -> None:
        """A second name for the file `src`; `FileExistsError` if `dst` exists.

        Without `src_fd`, `src` is a path, and a symbolic link at its end is followed.
        """
        follow = src_fd is None
        os.link(src, dst, src_dir_fd=src_fd, dst_dir_fd=dst_fd, follow_symlinks=follow)

    def symlink(self, target: str, name: str, dir_fd: int) -> None:
        """A symbolic link `name` that points at `target`."""
        os.symlink(target, name, dir_fd=dir_fd)

    def unlink(self, name: str, dir_fd: int) -> None:
        """Take a file's name away."""
        os.unlink(name, dir_fd=dir_fd)

    def mkdir(self, name: str, dir_fd: int, mode: int = 0o777) -> None:
        """A new directory."""
        os.mkdir(name, mode, dir_fd=dir_fd)

    def rmdir(self, name: str, dir_fd: int) -> None:
        """Remove an empty directory."""
        os.rmdir(name, dir_fd=dir_fd)

    def chmod(self, fd: int, mode: int) -> None:
        """Change the permission bits."""
        os.fchmod(fd, mode)

    def utime(self, file: int | str | os.PathLike[str], atime_ns: int, mtime_ns: int) -> None:
        """Set the times of access and of change, by descriptor or by path."""
        times = (atime_ns, mtime_ns)
        if isinstance(file, int):
            os.utime(file, ns=times)
        else:
            os.utime(file, ns=times, follow_symlinks=False)


current: System = System()
"""What all of lake.fsio works through."""
