"""The endpoint beside a plain Ray Serve deployment of HF `generate`, at the size of NLLB-200 600M.

    python benchmarks/engine_600m.py --folder /tmp/engines     # makes the files
    python benchmarks/serving_600m.py --folder /tmp/engines

32 clients send one text a request, with 4 to 82 source tokens. Weights are random, so no output
ends by itself: both sides write up to the same limit, which depends on the length of the source.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from load import Target, closed_loop
from serving import server

CLIENTS = 32
RESULTS = Path(__file__).parent / "results" / "serving_600m.json"


def main() -> None:
    """Measure both sides, or be the plain one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--engine", default="trimmed", choices=("full", "mapped", "trimmed"))
    parser.add_argument("--seconds", type=float, default=60.0, help="of the endpoint")
    parser.add_argument("--plain-seconds", type=float, default=240.0, help="of the plain side")
    parser.add_argument("--port", type=int, default=8461)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        serve_plainly(options)
        return
    texts = make_texts(options.folder)
    plain = [sys.executable, __file__, "--folder", str(options.folder), "--side", "plain"]
    rates = {}
    with server([*plain, "--port", str(options.port)], options.port) as url:
        rates["plain"] = measure(url, texts, options.plain_seconds)
    with tempfile.TemporaryDirectory() as storage:
        promote(options, storage)
        nmt = [str(Path(sys.executable).with_name("nmt")), "serve", f"storage={storage}"]
        # As many threads as the plain side; answers from memory would measure nothing.
        nmt += ["serving.cpus_per_replica=2", "serving.max_replicas=1", "serving.cache_mib=0"]
        nmt += ["serving.request_timeout_seconds=120"]
        with server([*nmt, f"serving.port={options.port + 1}"], options.port + 1) as url:
            rates["endpoint"] = measure(url, texts, options.seconds)
    rates["ratio"] = rates["endpoint"] / rates["plain"]
    print(f"the endpoint answers {rates['ratio']:.1f} times as many requests")
    RESULTS.write_text(json.dumps({"engine": options.engine, **rates}, indent=2) + "\n")


def measure(url: str, texts: list[str], seconds: float) -> float:
    """Measure the requests per second of a closed loop."""
    found = asyncio.run(closed_loop(Target(url, texts, timeout_seconds=3600), CLIENTS, seconds))
    print(f"{found.rate:.3f} requests/s: {found.line()}", flush=True)
    return found.rate


def make_texts(folder: Path) -> list[str]:
    """Draw texts of log-normal length from tokens that both sides have."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "trimmed" / "tokenizer" / "tokenizer.json"))
    words = sorted(t[1:] for t in tokenizer.get_vocab() if t.startswith("▁") and t[1:].isalpha())
    chance = random.Random(4)
    texts = []
    for _ in range(2000):
        length = min(82, max(4, int(chance.lognormvariate(3.0, 0.6))))
        text = " ".join(chance.choices(words, k=length))
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        texts.append(tokenizer.decode(ids[:length]))
    return texts


def promote(options: argparse.Namespace, place: str) -> None:
    """Put the engine on a storage root, and let the endpoint serve it."""
    from nmt import traffic
    from nmt.export.convert import copy_content
    from nmt.runs import layout
    from nmt.storage import Storage

    storage = Storage(place)
    with storage.commit(layout.engine("random")) as folder:
        copy_content(options.folder / options.engine, folder)
    traffic.promote(storage, "default", "random")


def serve_plainly(options: argparse.Namespace) -> None:
    """Serve HF `generate` as the first example of a tutorial does, until interrupted."""
    os.environ["RAY_SERVE_ENABLE_HA_PROXY"] = "0"
    import ray
    from ray import serve
    from starlette.requests import Request

    @serve.deployment(max_ongoing_requests=CLIENTS, ray_actor_options={"num_cpus": 2})
    class Plain:
        def __init__(self, folder: str) -> None:
            import torch
            from transformers import AutoTokenizer, M2M100ForConditionalGeneration

            torch.set_num_threads(2)
            self.model: Any = M2M100ForConditionalGeneration.from_pretrained(folder).eval()
            self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, src_lang="eng_Latn")
            self.code = self.tokenizer.convert_tokens_to_ids("tam_Taml")

        def translate(self, text: str) -> str:
            import torch

            from nmt.decoding.length import output_limit

            inputs = self.tokenizer(text, return_tensors="pt")
            with torch.inference_mode():
                found = self.model.generate(
                    **inputs,
                    forced_bos_token_id=self.code,
                    max_new_tokens=output_limit(inputs["input_ids"].shape[1]),
                )
            return self.tokenizer.batch_decode(found, skip_special_tokens=True)[0]

        async def __call__(self, request: Request) -> dict[str, str]:
            body = await request.json()
            return {"translation": self.translate(body["text"])}

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": options.port})
    serve.run(Plain.bind(str(options.folder / "hf")), name="plain", route_prefix="/v1/translate")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        ray.shutdown()


if __name__ == "__main__":
    main()
