#!/usr/bin/env python3
"""Writes mfcc.npy beside this file: the features of two synthetic sounds by a second implementation, for mfcc_test.cpp.

Double precision and plain loops, from the definition (docs/data.md): 16 kHz, 16,000 samples, 256 zeros on both
sides, periodic Hann window of 512, hop 160, power spectrum, 128 Slaney mel bands to 8 kHz with area normalisation,
decibel with a floor of 80 below the clip's maximum, orthonormal DCT-II, 13 coefficients, each normalised over the clip.
"""
import cmath
import math
import pathlib
import struct

RATE, SAMPLES, WINDOW, HOP, BANDS, COEFFICIENTS = 16000, 16000, 512, 160, 128, 13
FRAMES = 1 + SAMPLES // HOP


def sound(which):
    """A rising tone, or a tone of 440 Hz with overtones that fades; both with noise of a linear congruence."""
    state = 12345 + which
    samples = []
    for n in range(SAMPLES):
        t = n / RATE
        state = (1103515245 * state + 12345) % 2147483648
        noise = state / 1073741824.0 - 1.0
        if which == 0:
            value = 0.4 * math.sin(2.0 * math.pi * (200.0 * t + 1500.0 * t * t)) + 0.01 * noise
        else:
            tones = sum(math.sin(2.0 * math.pi * 440.0 * k * t) / k for k in (1, 2, 3, 5))
            value = 0.3 * math.exp(-4.0 * t) * tones + 0.002 * noise
        samples.append(struct.unpack("f", struct.pack("f", value))[0])
    return samples


def fft(values):
    if len(values) == 1:
        return values
    even, odd = fft(values[0::2]), fft(values[1::2])
    turned = [cmath.exp(-2j * math.pi * k / len(values)) * odd[k] for k in range(len(odd))]
    return [e + o for e, o in zip(even, turned)] + [e - o for e, o in zip(even, turned)]


def mel_to_hertz(mel):
    return 200.0 / 3.0 * mel if mel < 15.0 else 1000.0 * math.exp(math.log(6.4) / 27.0 * (mel - 15.0))


def mel_bands():
    top = 15.0 + math.log(8.0) / (math.log(6.4) / 27.0)
    edges = [mel_to_hertz(top * i / (BANDS + 1)) for i in range(BANDS + 2)]
    bands = []
    for low, middle, high in zip(edges, edges[1:], edges[2:]):
        weights = []
        for k in range(WINDOW // 2 + 1):
            hertz = k * RATE / WINDOW
            rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
            weights.append(max(0.0, min(rising, falling)) * 2.0 / (high - low))
        bands.append(weights)
    return bands


def mfcc(samples):
    padded = [0.0] * (WINDOW // 2) + samples + [0.0] * (WINDOW // 2)
    window = [0.5 - 0.5 * math.cos(2.0 * math.pi * n / WINDOW) for n in range(WINDOW)]
    bands = mel_bands()
    decibel = []
    for t in range(FRAMES):
        spectrum = fft([w * x for w, x in zip(window, padded[t * HOP:t * HOP + WINDOW])])
        power = [abs(value) ** 2 for value in spectrum[:WINDOW // 2 + 1]]
        energies = [sum(w * p for w, p in zip(weights, power) if w) for weights in bands]
        decibel.append([10.0 * math.log10(max(energy, 1e-10)) for energy in energies])
    floor = max(map(max, decibel)) - 80.0
    decibel = [[max(value, floor) for value in frame] for frame in decibel]
    features = []
    for frame in decibel:
        features.append([math.sqrt((1.0 if c == 0 else 2.0) / BANDS) * sum(
            frame[m] * math.cos(math.pi * c * (2 * m + 1) / (2 * BANDS)) for m in range(BANDS))
            for c in range(COEFFICIENTS)])
    for c in range(COEFFICIENTS):
        column = [frame[c] for frame in features]
        mean = sum(column) / FRAMES
        deviation = math.sqrt(sum((value - mean) ** 2 for value in column) / FRAMES)
        for frame in features:
            frame[c] = (frame[c] - mean) / (deviation + 1e-8)
    return features


def main():
    values = [value for which in (0, 1) for frame in mfcc(sound(which)) for value in frame]
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, %d, %d), }" % (FRAMES, COEFFICIENTS)
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    data += struct.pack(f"<{len(values)}f", *values)
    (pathlib.Path(__file__).parent / "mfcc.npy").write_bytes(data)


if __name__ == "__main__":
    main()
