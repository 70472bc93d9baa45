"""Where the files of logs are read from: a folder, or a server (docs/audit-log.md §2)."""

import http.client
import os
import re
import urllib.parse
import zlib

from fault import Fault
from text_file import unreadable

_TIMEOUT_SECONDS = 30


class Missing(Exception):
    """There is no such file."""


def open_source(target):
    if re.match(r'https?://', target):
        return Server(target)
    if not os.path.isdir(target):
        raise Fault('unreadable', 'file', 'neither a folder nor an http or https address')
    return Folder(target)


class _Source:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Folder(_Source):
    def __init__(self, path):
        self._path = path

    def listing(self, limit):
        """Content of the list of logs, None where the folder is that of one log."""
        if os.path.exists(os.path.join(self._path, 'checkpoint')):
            return None
        try:
            return self.read('logs.json', limit)
        except Missing:
            return None

    def of_log(self, log):
        """The folder of a log: as below a server, or just by its name."""
        nested = os.path.join(self._path, 'audit', 'logs', log)
        return Folder(nested if os.path.isdir(nested) else os.path.join(self._path, log))

    def read(self, path, limit):
        try:
            with open(os.path.join(self._path, *path.split('/')), 'rb') as file:
                data = file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError):
            raise Missing from None
        except OSError as error:
            raise unreadable(error) from None
        return data


class Server(_Source):
    """One connection, kept open: a log of a million entries has eight thousand files."""

    def __init__(self, url, shared=None):
        address = urllib.parse.urlsplit(url)
        self._url = url
        self._prefix = address.path.rstrip('/')
        self._connection = shared
        if shared is None:
            kind = http.client.HTTPSConnection if address.scheme == 'https' else http.client.HTTPConnection
            try:
                self._connection = kind(address.hostname or '', address.port, timeout=_TIMEOUT_SECONDS)
            except (ValueError, http.client.HTTPException) as error:
                raise Fault('unreadable', 'file', f'not an address: {error}') from None

    def __exit__(self, *_):
        self._connection.close()

    def listing(self, limit):
        try:
            return self.read('audit/logs', limit)
        except Missing:
            return None

    def of_log(self, log):
        # Below the address that was named: that is the server to be checked, whatever address the list tells.
        return Server(f'{self._url.rstrip("/")}/audit/logs/{log}', self._connection)

    def read(self, path, limit):
        target = f'{self._prefix}/{path}'
        try:
            try:
                status, data, encoding = self._get(target, limit)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # The server closed a connection that had been idle.
                self._connection.close()
                status, data, encoding = self._get(target, limit)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._connection.close()
            raise Fault('unreadable', 'file', f'GET {target} failed: {error}') from None
        if status in (404, 410):
            raise Missing
        if status != 200:
            raise Fault('unreadable', 'file', f'GET {target} was answered with status {status}')
        return _plain(data, encoding, limit)

    def _get(self, target, limit):
        self._connection.request('GET', target, headers={'Accept-Encoding': 'identity'})
        answer = self._connection.getresponse()
        data = answer.read(limit + 1)
        if len(data) > limit:
            self._connection.close()
        else:
            answer.read()
        return answer.status, data, answer.getheader('Content-Encoding')


def _plain(data, encoding, limit):
    """tlog-tiles lets a server answer in gzip though nobody asked for it."""
    if encoding != 'gzip':
        return data
    try:
        return zlib.decompressobj(wbits=31).decompress(data, limit + 1)
    except zlib.error as error:
        raise Fault('unreadable', 'file', f'an answer in gzip cannot be read: {error}') from None
