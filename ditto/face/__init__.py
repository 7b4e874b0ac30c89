"""Faces in pictures: detection, the 478-point mesh, head pose, the HEAD crop and paste-back."""
