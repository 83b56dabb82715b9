// Pools a set again by a reader's choices, by the model and the rules of docs/methods/m06_pooling.md.
(function () {
  "use strict";
  const Z = 1.959963984540054;  // normal quantile of 0.975
  const STEPS = 200, CLOSE = 1e-6, NARROW = 1e-9, PIECES = 6;
  const sum = (values) => values.reduce((a, b) => a + b, 0);

  // Where a function that falls through 0 between a and b does so, by halving to the last bit.
  function crossing(f, a, b) {
    for (let step = 0; step < STEPS; step += 1) {
      const middle = (a + b) / 2;
      if (middle <= a || middle >= b) { break; }
      if (f(middle) > 0) { a = middle; } else { b = middle; }
    }
    return (a + b) / 2;
  }

  // Student's t for whole degrees of freedom: P(|T| < t), with theta = arctan(t / sqrt(df)), is a
  // finite sum (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).
  function between(theta, df) {
    const c = Math.cos(theta), odd = df % 2;
    let term = odd ? c : 1, total = 0;
    for (let power = odd; power <= df - 2; power += 2) {
      total += term;
      term *= c * c * (power + 1) / (power + 2);
    }
    total *= Math.sin(theta);
    return odd ? 2 / Math.PI * (theta + total) : total;
  }
  function tQuantile(probability, df) {
    if (df === Infinity) { return Z; }
    const theta = crossing((angle) => 2 * probability - 1 - between(angle, df), 0, Math.PI / 2);
    return Math.sqrt(df) * Math.tan(theta);
  }

  // Eigenvalues and vectors of a symmetric matrix by Jacobi's rotations (Golub and Van Loan 2013, 8.5).
  function eigen(matrix) {
    const a = matrix.map((row) => row.slice()), n = a.length;
    const u = a.map((_, i) => a.map((__, j) => (i === j ? 1 : 0)));
    const turn = (m, i, p, q, c, s) => {
      const left = m[i][p], right = m[i][q];
      m[i][p] = c * left - s * right;
      m[i][q] = s * left + c * right;
    };
    for (let sweep = 0, more = true; more && sweep < STEPS; sweep += 1) {
      more = false;
      for (let p = 0; p < n; p += 1) {
        for (let q = p + 1; q < n; q += 1) {
          if (Math.abs(a[p][q]) <= 1e-17 * Math.sqrt(a[p][p] * a[q][q])) { continue; }
          more = true;
          const ratio = (a[q][q] - a[p][p]) / (2 * a[p][q]);
          const t = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.sqrt(ratio * ratio + 1));
          const c = 1 / Math.sqrt(t * t + 1), s = t * c, moved = t * a[p][q];
          const diagonal = [a[p][p] - moved, a[q][q] + moved];
          for (let i = 0; i < n; i += 1) {
            turn(u, i, p, q, c, s);
            if (i === p || i === q) { continue; }
            turn(a, i, p, q, c, s);
            a[p][i] = a[i][p];
            a[q][i] = a[i][q];
          }
          [a[p][p], a[q][q]] = diagonal;
          a[p][q] = a[q][p] = 0;
        }
      }
    }
    return { values: a.map((row, i) => row[i]), vectors: u };
  }

  // The chosen effects as uncorrelated rows y ~ N(x b, v + tau2): V = U diag(v) U', rows U'y and U'1.
  // y is counted from the most precise effect, so that nearly equal numbers are not subtracted.
  function rowsOf(set, chosen) {
    const of = set.yi.map((_, i) => i).filter((i) => chosen[set.of[i]]);
    const place = new Map(of.map((i, row) => [i, row]));
    const V = of.map((i, row) => of.map((_, column) => (row === column ? set.vi[i] : 0)));
    set.covariances.forEach(([i, j, covariance]) => {
      if (!place.has(i) || !place.has(j)) { return; }
      V[place.get(i)][place.get(j)] = V[place.get(j)][place.get(i)] = covariance;
    });
    const raw = of.map((i) => set.yi[i]), vi = of.map((i) => set.vi[i]);
    const origin = raw[vi.indexOf(Math.min(...vi))];
    const { values, vectors } = eigen(V);
    const turned = (given) => values.map((_, j) => sum(given.map((one, i) => vectors[i][j] * one)));
    return {
      of, raw, origin, vectors, v: values, n: of.length, x: turned(raw.map(() => 1)),
      y: turned(raw.map((one) => one - origin)), studies: new Set(of.map((i) => set.of[i])).size,
    };
  }

  // Sums at a tau2, with W = 1 / (v + tau2), P = W - W x x'W / x'Wx: Q = y'Py and those of its slopes.
  function moments(rows, tau2) {
    const { x, y } = rows, w = rows.v.map((v) => 1 / (v + tau2));
    const over = (f) => sum(w.map(f));
    const precision = over((one, i) => one * x[i] * x[i]);
    const mean = over((one, i) => one * x[i] * y[i]) / precision;
    const z = w.map((one, i) => one * (y[i] - mean * x[i]));
    const squares = over((one, i) => one * one * x[i] * x[i]) / precision;
    const w1 = sum(w), w2 = over((one) => one * one);
    return {
      w, precision, mean, w1, w2, q: over((one, i) => z[i] * z[i] / one),
      q2: over((_, i) => z[i] * z[i]), trace: w1 - squares,
      q3: over((one, i) => one * z[i] * z[i]) - over((one, i) => one * z[i] * x[i]) ** 2 / precision,
      trace2: w2 - 2 * over((one, i) => one ** 3 * x[i] * x[i]) / precision + squares * squares,
    };
  }

  // Newton's method on 1 / Q, which rises and bends down (Paule and Mandel 1982).
  function whereQIs(rows, target) {
    const lowest = Math.min(...rows.v);
    for (let tau2 = 0, step = 0; ; step += 1) {
      const at = moments(rows, tau2);
      const move = Math.max(0, at.q * (at.q - target) / (target * at.q2)) || 0;
      tau2 += move;
      if (move <= CLOSE * (lowest + tau2) || step >= STEPS) { return tau2; }
    }
  }

  // Highest maximum of the (restricted) likelihood. All parts of the score fall in tau2, so that their
  // values at both ends of an interval show whether it holds no root or one; others are halved.
  function likeliest(rows, restricted) {
    const low = Math.min(...rows.v), high = Math.max(...rows.v);
    const plain = moments(Object.assign({}, rows, { v: rows.v.map(() => 1) }), 0);
    const s2 = plain.q / (restricted ? rows.n - 1 : rows.n);
    const top = 0.5 * (s2 + Math.sqrt(s2) * Math.sqrt(s2 + 4 * (high - low))) * (1 + 1e-9) - low;
    if (!(top > 0)) { return 0; }
    const score = (tau2) => {
      const at = moments(rows, tau2);
      return { up: at.q2, down: restricted ? at.trace : at.w1,
        upSlope: 2 * at.q3, downSlope: restricted ? at.trace2 : at.w2 };
    };
    const rises = (at) => at.up > at.down;
    function maxima(a, b, left, right) {
      const narrow = b - a <= NARROW * (low + b), falling = left.downSlope < right.upSlope;
      if (rises(left) && !rises(right) && (falling || narrow)) { return [[a, b]]; }
      const rootless = left.up < right.down || right.up > left.down;
      if (rootless || falling || narrow || right.downSlope > left.upSlope) { return []; }
      const middle = Math.sqrt((low + a) * (low + b)) - low, centre = score(middle);
      return maxima(a, middle, left, centre).concat(maxima(middle, b, centre, right));
    }
    const points = [];
    for (let i = 0; i <= PIECES; i += 1) { points.push(low * ((low + top) / low) ** (i / PIECES) - low); }
    [points[0], points[PIECES]] = [0, top];
    const scores = points.map(score), found = rises(scores[0]) ? [] : [0];
    for (let i = 0; i < PIECES; i += 1) {
      maxima(points[i], points[i + 1], scores[i], scores[i + 1]).forEach(([a, b]) => {
        const f = (x) => { const at = score(Math.exp(x) - low); return at.up - at.down; };
        found.push(Math.max(0, Math.exp(crossing(f, Math.log(low + a), Math.log(low + b))) - low));
      });
    }
    const height = (tau2) => {
      const at = moments(rows, tau2);
      return sum(at.w.map(Math.log)) - at.q - (restricted ? Math.log(at.precision) : 0);
    };
    return found.reduce((best, one) => (height(one) > height(best) ? one : best), found[0] || 0);
  }

  function tau2Of(rows, method) {
    const at0 = moments(rows, 0), free = rows.n - 1, { x, y, v, raw } = rows;
    if (method === "EE" || free < 1) { return 0; }
    if (method === "REML" || method === "ML") { return likeliest(rows, method === "REML"); }
    if (method === "PM" || method === "EB") { return whereQIs(rows, free); }
    if (method === "DL") { return Math.max(0, (at0.q - free) / at0.trace); }
    if (method === "HS") { return Math.max(0, (at0.q - rows.n) / at0.w1); }
    if (method === "SJ") {
      const mean = sum(raw) / rows.n, start = sum(raw.map((one) => (one - mean) ** 2)) / rows.n;
      return start > 0 ? start * moments(rows, start).q / free : 0;
    }
    // HE; x'x is the number of effects, as rotations keep lengths.
    const mean = sum(y.map((one, i) => x[i] * one)) / rows.n;
    const spread = sum(y.map((one, i) => (one - mean * x[i]) ** 2));
    return Math.max(0, (spread - sum(v.map((one, i) => one * (1 - x[i] * x[i] / rows.n)))) / free);
  }

  // The pool of the chosen studies, named as in pooled.csv; null without a study.
  function pooled(set, chosen, method, interval) {
    const rows = rowsOf(set, chosen);
    if (!rows.n) { return null; }
    const single = rows.studies === 1;
    const tau2 = single ? 0 : tau2Of(rows, method);
    const at0 = moments(rows, 0), at = moments(rows, tau2), free = rows.n - 1;
    const scaled = interval !== "wald" && !single && free > 0;
    const factor = interval === "hksj-floor" ? Math.max(1, at.q / free) : at.q / free;
    const estimate = at.mean + rows.origin, se = Math.sqrt((scaled ? factor : 1) / at.precision);
    const half = tQuantile(0.975, scaled ? rows.studies - 1 : Infinity) * se;
    const df = rows.studies - (set.pi_df === "k-1" ? 1 : 2);
    const predicted = method !== "EE" && tau2 > 0 && rows.studies > 2;
    const reach = predicted ? tQuantile(0.975, df) * Math.sqrt(tau2 + se * se) : null;
    const share = tau2 * at0.trace, weights = set.yi.map(() => null);
    const i2 = method === "EE" ? (at0.q > 0 ? 100 * Math.max(0, at0.q - free) / at0.q : 0)
      : 100 * share / (share + free);
    const own = rows.of.map((_, i) => sum(at.w.map((w, j) => rows.vectors[i][j] * w * rows.x[j])));
    rows.of.forEach((i, row) => { weights[i] = 100 * own[row] / sum(own); });
    return {
      k: rows.studies, estimate, ci_low: estimate - half, ci_high: estimate + half, weights, method,
      ci_method: single ? "wald" : interval, tau2: single ? null : tau2, i2: single ? null : i2,
      pi_low: predicted ? estimate - reach : null, pi_high: predicted ? estimate + reach : null,
    };
  }
  window.osteometa = { pooled, tQuantile };
})();
