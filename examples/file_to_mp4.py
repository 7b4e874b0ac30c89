"""A portrait and a recording to a video.

python examples/file_to_mp4.py HOST:PORT FACE SPEECH OUT.mp4
"""

import sys

from ditto.client import Client

server, portrait, speech, target = sys.argv[1:]
with Client(server) as client:
    call = client.animate(portrait, speech, video="mp4", emotion="happy")
    call.save(target)
    print(f"{call.stats.frames} frames, the first after {call.stats.ffd_ms:.0f} ms")
