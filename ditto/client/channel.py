"""How the clients connect."""

CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 2**20),
    ("grpc.max_send_message_length", 64 * 2**20),
)
"""Room for a raw frame of the largest portrait."""
