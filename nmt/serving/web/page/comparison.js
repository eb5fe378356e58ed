// Marks the words in which two translations of the same text differ.

const MAX_COMPARED_WORDS = 300;

function markDifferences(first, second) {
  const [firsts, seconds] = [first, second].map((each) => [...each.querySelectorAll(".translation")]);
  firsts.forEach((text, index) => {
    if (seconds[index] && text.textContent !== seconds[index].textContent) {
      markPair(text, seconds[index]);
    }
  });
}

function markPair(first, second) {
  const [ours, theirs] = [first, second].map((each) => each.textContent.split(/(\s+)/));
  if (Math.max(ours.length, theirs.length) > MAX_COMPARED_WORDS) return;
  const lengths = commonLengths(ours, theirs);
  const isCommon = [ours.map(() => false), theirs.map(() => false)];
  for (let i = 0, j = 0; i < ours.length && j < theirs.length;) {
    if (ours[i] === theirs[j]) {
      isCommon[0][i++] = isCommon[1][j++] = true;
    } else if (lengths[i + 1][j] >= lengths[i][j + 1]) {
      i += 1;
    } else {
      j += 1;
    }
  }
  first.replaceChildren(...marked(ours, isCommon[0]));
  second.replaceChildren(...marked(theirs, isCommon[1]));
}

// The length of the longest common sequence of what follows each pair of places.
function commonLengths(ours, theirs) {
  const lengths = Array.from({ length: ours.length + 1 }, () => new Array(theirs.length + 1).fill(0));
  for (let i = ours.length - 1; i >= 0; i -= 1) {
    for (let j = theirs.length - 1; j >= 0; j -= 1) {
      lengths[i][j] = ours[i] === theirs[j]
        ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  return lengths;
}

function marked(words, isCommon) {
  return words.map((word, index) => (
    isCommon[index] || !word.trim() ? word : make("mark", { textContent: word })));
}
