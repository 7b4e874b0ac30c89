"""Stubs of NVIDIA's Audio2Face-2D wire format; see protos/ditto/audio2face2d."""
