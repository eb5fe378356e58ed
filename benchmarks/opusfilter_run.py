"""OpusFilter with the filters that `nmt prepare` has rules for."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from nmt.config import DataConfig
from nmt.languages import languages, script_of

_SCRIPTS = {"Latn": "Latin", "Taml": "Tamil", "Deva": "Devanagari", "Cyrl": "Cyrillic"}
"""Names of scripts as its CharacterScoreFilter takes them."""


def run_opusfilter(
    programs: Path, files: tuple[Path, Path], folder: Path, data: DataConfig
) -> dict[str, float]:
    """Filter a pair of files, and return the CPU seconds and the peak memory.

    Args:
        programs: folder of its programs.
        files: the source and the target side.
        folder: for the results.
        data: the languages and limits.
    """
    settings = folder / "opusfilter.yaml"
    settings.write_text(yaml.safe_dump(_steps(files, folder, data)), encoding="utf-8")
    command = [programs / "opusfilter", "--overwrite", settings]
    # Its progress bar writes a line for every pair.
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("opusfilter failed")
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}


def _steps(files: tuple[Path, Path], folder: Path, data: DataConfig) -> Mapping[str, Any]:
    unique = [str(folder / f"unique.{side}") for side in ("source", "target")]
    kept = [str(folder / f"kept.{side}") for side in ("source", "target")]
    inputs = [str(file) for file in files]
    return {
        "common": {"output_directory": str(folder)},
        "steps": [
            {"type": "remove_duplicates", "parameters": {"inputs": inputs, "outputs": unique}},
            {
                "type": "filter",
                "parameters": {"inputs": unique, "outputs": kept, "filters": _filters(data)},
            },
        ],
    }


def _filters(data: DataConfig) -> list[dict[str, Any]]:
    codes = (data.source_language, data.target_language)
    scripts = [_SCRIPTS.get(script_of(code), script_of(code)) for code in codes]
    short = [languages()[code].iso for code in codes]
    rules = data.cleaning
    return [
        {"LengthFilter": {"unit": "word", "min_length": 1, "max_length": rules.max_words}},
        {"LengthRatioFilter": {"unit": "char", "threshold": 3}},
        {"LongWordFilter": {"threshold": rules.max_word_characters or 60}},
        {"HtmlTagFilter": {}},
        {"CharacterScoreFilter": {"scripts": scripts, "thresholds": [0.5, 0.5]}},
        {"NonZeroNumeralsFilter": {"threshold": 0.5}},
        {"TerminalPunctuationFilter": {"threshold": -2}},
        {"RepetitionFilter": {"threshold": 3}},
        {"LanguageIDFilter": {"languages": short, "thresholds": [0, 0], "id_method": "langid"}},
    ]
