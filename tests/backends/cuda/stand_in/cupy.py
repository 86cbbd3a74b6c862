"""CuPy for processes of their own: the stand-in, with two devices."""

import sys

import fake_cupy

fake_cupy.Device.count = 2
sys.modules[__name__] = fake_cupy.module()
