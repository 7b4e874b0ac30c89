"""Interrupt at frame 20 and say something else; both 16 kHz, 16 bit, mono without a header.

python examples/barge_in.py HOST:PORT FACE OLD.pcm NEW.pcm
tail -c +45 examples/speech.wav > old.pcm     makes such a file of a WAV file
"""

import sys
from pathlib import Path

from ditto.client import Client, Event, Frame

server, portrait, old, new = sys.argv[1:]
with Client(server) as client:
    call = client.animate(portrait, pacing="realtime")
    call.speak(Path(old).read_bytes())
    for item in call:
        if isinstance(item, Frame) and item.index == 20:
            call.interrupt(last_played_frame=18)
            call.speak(Path(new).read_bytes())
            call.end()
        elif isinstance(item, Event):
            print(item.kind, item.frame_index)
