"""The thread that makes calls for an event loop."""

import asyncio
import subprocess
import sys
import threading
import weakref

import pytest

from nmt.serving.worker import Worker


def test_calls_are_made_in_order_and_errors_come_back() -> None:
    async def body() -> None:
        worker, seen = Worker("test"), []
        first = asyncio.create_task(worker.run(seen.append, 1))
        second = asyncio.create_task(worker.run(seen.append, 2))
        await asyncio.gather(first, second)
        assert seen == [1, 2]
        with pytest.raises(ZeroDivisionError):
            await worker.run(lambda: 1 // 0)
        assert await worker.run(lambda: 3) == 3
        worker.close()

    asyncio.run(body())


def test_a_cancelled_call_that_has_not_begun_is_not_made() -> None:
    async def body() -> None:
        worker, gate, seen = Worker("test"), threading.Event(), []
        first = asyncio.create_task(worker.run(gate.wait, 5))
        second = asyncio.create_task(worker.run(seen.append, 2))
        await asyncio.sleep(0.01)
        second.cancel()
        first.cancel()
        await asyncio.wait([first, second])
        gate.set()
        assert await worker.run(lambda: 3) == 3
        assert seen == []

    asyncio.run(body())


def test_a_worker_keeps_neither_its_last_call_nor_its_thread() -> None:
    class Large:
        pass

    async def body() -> None:
        worker, large = Worker("test"), Large()
        alive = weakref.ref(large)
        await worker.run(lambda value: None, large)
        del large
        await worker.run(lambda: None)
        assert alive() is None
        thread = worker._thread
        assert thread
        worker.close()
        await asyncio.to_thread(thread.join, 5)
        assert not thread.is_alive()

    asyncio.run(body())


def test_a_call_that_hangs_does_not_keep_the_process_alive() -> None:
    program = (
        "import asyncio, time\n"
        "from nmt.serving.worker import Worker\n"
        "async def body():\n"
        "    hanging = asyncio.create_task(Worker('test').run(time.sleep, 600))\n"
        "    await asyncio.sleep(0.05)\n"
        "asyncio.run(body())\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert ended.returncode == 0
