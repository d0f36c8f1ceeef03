"""The local installation around the runner: the commands behind ./chatmill."""

import os

# numpy reads this when it is imported. With a thread per core, small products on a busy machine
# take several times as long: the threads wait for each other by spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
