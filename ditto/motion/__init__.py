"""The motion space that every pack shares: 265 numbers a frame, and what they mean for a face."""
