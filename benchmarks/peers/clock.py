"""When the process began, for all practical purposes: imported before anything heavy."""

import time

BEGAN = time.perf_counter()
