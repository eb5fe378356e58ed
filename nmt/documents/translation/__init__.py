"""Translation of segments, whose inline codes, protected words and white space survive."""
