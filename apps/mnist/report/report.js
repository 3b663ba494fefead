// The animation of pliant-mnist --report: a digit shrinks and grows, and the sampling points of a
// regular and of a deformable net with it. Everything shown was computed by the program.
'use strict';
(() => {
  const source = document.getElementById('sweep-data');
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const element = (name) => document.getElementById('sweep-' + name);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const frames = data.zooms.length;
  const reduced = matchMedia('(prefers-reduced-motion: reduce)');

  // The n-th list of points of an entry {counts, bytes}: where it starts and how long it is.
  function pointsOf(net, digit) {
    const entry = net.digits[digit].points || net.digits[0].points;
    if (!entry.lists) {
      const size = net.masked ? 3 : 2, all = bytes(entry.bytes);
      let at = 0;
      entry.lists = entry.counts.map((count) => all.subarray(at, at += count * size));
    }
    return entry.lists;
  }
  function strandsAt(net, digit, frame) {
    const lists = pointsOf(net, digit), strands = Math.max(1, net.strands.length);
    const first = lists.length === strands ? 0 : frame * strands;  // a regular net has one frame
    return lists.slice(first, first + strands);
  }
  function pictureAt(digit, frame) {
    const entry = data.digits[digit], pixels = data.side * data.side;
    entry.decoded = entry.decoded || bytes(entry.pictures);
    return entry.decoded.subarray(frame * pixels, (frame + 1) * pixels);
  }

  const colours = ['#ff9d2e', '#ff6fae', '#b6e34b'];
  const small = document.createElement('canvas');
  small.width = small.height = data.side;

  function draw(canvas, net, digit, frame, regular) {
    const width = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1)) || 400;
    if (canvas.width !== width) canvas.width = canvas.height = width;
    const to = canvas.getContext('2d'), scale = width / data.side;
    const image = new ImageData(data.side, data.side);
    pictureAt(digit, frame).forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
    small.getContext('2d').putImageData(image, 0, 0);
    to.globalAlpha = 1;
    to.fillStyle = '#000';
    to.fillRect(0, 0, width, width);
    to.globalAlpha = 0.72;  // so that dots show on white strokes too
    to.imageSmoothingEnabled = false;
    to.drawImage(small, 0, 0, width, width);
    const radius = Math.max(1.2, scale * (regular ? 0.13 : 0.12)), size = net.masked ? 3 : 2;
    strandsAt(net, digit, frame).forEach((list, strand) => {
      to.fillStyle = regular ? '#39c6f0' : colours[strand % colours.length];
      for (let i = 0; i < list.length; i += size) {
        const weight = net.masked ? list[i + 2] / data.weight : 1;
        to.globalAlpha = regular ? 0.6 : Math.min(0.9, 0.12 + 0.55 * weight);
        to.beginPath();
        to.arc((list[i + 1] / data.unit + 0.5) * scale, (list[i] / data.unit + 0.5) * scale, radius,
               0, 2 * Math.PI);
        to.fill();
      }
    });
  }

  function says(where, net, digit, frame) {
    const { labels, per_cent: perCent } = net.digits[digit];
    const label = data.digits[digit].label, guess = Number(labels[frame]);
    const mark = document.createElement('span');
    mark.className = guess === label ? 'ok' : 'bad';
    mark.textContent = (guess === label ? '✓ ' : '✗ ') + guess;
    where.replaceChildren('says ', mark, ` (${perCent[frame]} %)`);
  }

  const sides = ['regular', 'deformable'].map((kind) => ({
    kind, nets: data[kind], canvas: element(kind), choice: element(kind + '-net'),
    says: element(kind + '-says'),
  })).filter((side) => {
    if (side.nets.length === 0) side.canvas.parentElement.remove();
    return side.nets.length > 0;
  });
  const digits = element('digit'), slider = element('frame'), play = element('play');
  let frame = 0, playing = false, visible = true;

  function show() {
    const digit = Number(digits.value) || 0, zoom = data.zooms[frame].toFixed(2);
    slider.value = frame;
    slider.setAttribute('aria-valuetext', 'zoom ' + zoom);
    element('zoom').textContent = zoom;
    for (const side of sides) {
      const net = side.nets[Number(side.choice.value) || 0];
      draw(side.canvas, net, digit, frame, side.kind === 'regular');
      says(side.says, net, digit, frame);
      side.canvas.setAttribute('aria-label', `Sampling points of ${net.name} on a ` +
          `${data.digits[digit].label}, shrunk ${zoom} times`);
    }
    document.documentElement.dataset.frame = frame;
  }

  function explain() {
    const side = sides[sides.length - 1], net = side.nets[Number(side.choice.value) || 0];
    const parts = net.strands.length === 0 ? [] : ['Each colour follows one channel of the warps: '];
    net.strands.forEach((text, i) => {
      const key = document.createElement('span');
      key.className = 'key p' + i;
      parts.push(i === 0 ? '' : '; ', key, ' ' + text);
    });
    element('strands').replaceChildren(...parts);
  }

  function setPlaying(on) {
    playing = on;
    play.textContent = on ? 'Pause' : 'Play';
    if (on) requestAnimationFrame(step);
  }
  let last = 0, direction = 1;
  function step(now) {
    if (!playing) return;
    requestAnimationFrame(step);
    if (now - last < 90 || !visible) return;
    last = now;
    if (frame + direction < 0 || frame + direction >= frames) direction = -direction;
    frame += direction;
    show();
  }

  const fill = (select, texts) => select.replaceChildren(...texts.map((text, i) => new Option(text, i)));
  fill(digits, data.digits.map((digit) => digit.label));
  digits.value = Math.min(data.digits.length - 1, Math.floor(data.digits.length / 2));
  for (const side of sides) {
    fill(side.choice, side.nets.map((net) => net.name));
    side.choice.addEventListener('change', () => { explain(); show(); });
  }
  digits.addEventListener('change', show);
  slider.addEventListener('input', () => { setPlaying(false); frame = Number(slider.value); show(); });
  play.addEventListener('click', () => setPlaying(!playing));
  window.addEventListener('resize', show);

  const stage = document.querySelector('#sweep .stage');
  document.querySelector('#sweep .still').hidden = true;
  stage.hidden = false;
  new IntersectionObserver((entries) => { visible = entries[0].isIntersecting; }).observe(stage);
  explain();
  show();
  setPlaying(!reduced.matches);
})();
