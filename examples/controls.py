"""Turn, look away and wink while speaking.

python examples/controls.py HOST:PORT FACE SPEECH OUT.mp4
"""

import sys

from ditto.client import Client

server, portrait, speech, target = sys.argv[1:]
with Client(server) as client:
    call = client.animate(portrait, speech, video="mp4", motion={"head_gain": 0.5})
    call.control(from_frame=25, yaw_offset_degrees=12, look_away={"max_degrees": 15})
    call.control(from_frame=50, reset=True, blendshapes={"eyeBlinkLeft": 1, "mouthSmileLeft": 0.8})
    call.save(target)
