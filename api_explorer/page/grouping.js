// Which pictures belong together: the similarities of all pairs, and groups of those that are alike enough.

// Rows of (1 + cosine) / 2 for vectors of length 1, as one Float32Array of n times n. `pause` is awaited now and then,
// so that the page stays alive.
export async function similarities(vectors, pause) {
  const count = vectors.length;
  const matrix = new Float32Array(count * count);
  for (let row = 0; row < count; row += 1) {
    matrix[row * count + row] = 1;
    for (let column = 0; column < row; column += 1) {
      const score = (1 + dot(vectors[row], vectors[column])) / 2;
      matrix[row * count + column] = matrix[column * count + row] = Math.min(1, Math.max(0, score));
    }
    if (row % 64 === 63) {
      await pause();
    }
  }
  return matrix;
}

function dot(a, b) {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) {
    sum += a[index] * b[index];
  }
  return sum;
}

// [{members, lowest}], the largest first. Every pair of a group reaches the threshold: two groups are joined, the
// likest pairs first, where all pairs across them do (complete linkage), so that no chain leads to what is not alike.
export function groupsOf(matrix, count, threshold) {
  const group = Array.from({ length: count }, (_, index) => [index]);
  for (const [first, second] of pairsFrom(matrix, count, threshold)) {
    const [a, b] = [group[first], group[second]];
    if (a !== b && a.every((i) => b.every((j) => matrix[i * count + j] >= threshold))) {
      a.push(...b);
      b.forEach((member) => (group[member] = a));
    }
  }
  return [...new Set(group)]
    .filter((members) => members.length > 1)
    .map((members) => ({ members, lowest: lowestOf(members, matrix, count) }))
    .sort((a, b) => b.members.length - a.members.length || b.lowest - a.lowest);
}

function pairsFrom(matrix, count, threshold) {
  const pairs = [];
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < row; column += 1) {
      if (matrix[row * count + column] >= threshold) {
        pairs.push([column, row]);
      }
    }
  }
  return pairs.sort((a, b) => matrix[b[0] * count + b[1]] - matrix[a[0] * count + a[1]]);
}

function lowestOf(members, matrix, count) {
  let lowest = 1;
  for (const i of members) {
    for (const j of members) {
      lowest = Math.min(lowest, matrix[i * count + j]);
    }
  }
  return lowest;
}

// An order in which like pictures are neighbours: the groups first, then from each picture to the likest one left.
export function orderOf(matrix, count, groups) {
  const order = groups.flatMap(({ members }) => members);
  const left = new Set(Array.from({ length: count }, (_, index) => index).filter((index) => !order.includes(index)));
  while (left.size > 0) {
    const last = order.at(-1);
    let next = left.values().next().value;
    if (last !== undefined) {
      for (const index of left) {
        if (matrix[last * count + index] > matrix[last * count + next]) {
          next = index;
        }
      }
    }
    left.delete(next);
    order.push(next);
  }
  return order;
}
