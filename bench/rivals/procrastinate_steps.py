"""Procrastinate, one job a step: `procrastinate --app=procrastinate_steps.app worker`."""

from __future__ import annotations

import asyncio
import os
import sys

import jobs
import procrastinate

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["RIVAL_DATABASE"]))


@app.task(name="step", pass_context=False)
async def step(run_id: int) -> None:
    """One step of one contact, in a thread, then the next."""
    if await asyncio.to_thread(jobs.do, run_id):
        await step.defer_async(run_id=run_id)


async def main(first: int, beyond: int) -> None:
    """Make its tables and send the first jobs."""
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await step.batch_defer_async(*({"run_id": number} for number in range(first, beyond)))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
