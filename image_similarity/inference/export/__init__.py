"""Build time only: an open_clip checkpoint becomes the runtime's model.onnx and manifest.json.

Needs torch and open_clip (the extra `export`); nothing on the request path imports it.
"""
