"""Running a network somewhere: one protocol, with torch, ONNX Runtime and TensorRT behind it."""
