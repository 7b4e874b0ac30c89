"""Live speech, 20 ms at a time: 16 kHz, 16 bit, mono on standard input.

arecord -t raw -f S16_LE -r 16000 | python examples/microphone.py HOST:PORT FACE
tail -c +45 examples/speech.wav | python examples/microphone.py HOST:PORT FACE
"""

import sys
from functools import partial

from ditto.client import Client, Frame

server, portrait = sys.argv[1:]
microphone = iter(partial(sys.stdin.buffer.read, 640), b"")
with Client(server) as client:
    for item in client.animate(portrait, microphone, pacing="realtime"):
        if isinstance(item, Frame):
            print(f"show {len(item.data)} bytes of JPEG at {item.pts_seconds:.2f} s")
