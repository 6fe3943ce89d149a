"""The same baseline behind Flask, as a first SageMaker container: gunicorn bench.baseline.server:app."""

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from bench.baseline.handler import answer

app = Flask(__name__)


@app.get("/ping")
def ping() -> str:
    """Alive: the model was loaded at import."""
    return "ok"


@app.post("/invocations")
def invocations() -> ResponseReturnValue:
    """The answer to one request."""
    return jsonify(answer(request.get_data()))
