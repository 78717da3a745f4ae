"""Celery, one task a step: `celery -A celery_steps worker`."""

from __future__ import annotations

import os

import jobs
from celery import Celery

app = Celery("rival", broker=os.environ["RIVAL_BROKER"])
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True


@app.task(name="step", acks_late=True)
def step(run_id: int) -> None:
    """One step of one contact, then the next."""
    if jobs.do(run_id):
        step.delay(run_id)


if __name__ == "__main__":
    import sys

    for number in range(int(sys.argv[1]), int(sys.argv[2])):
        step.delay(number)
