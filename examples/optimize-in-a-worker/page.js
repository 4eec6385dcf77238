// The page: it starts the search, shows how far it is, and goes on answering meanwhile.
const find = (selector) => document.querySelector(selector);
const form = find('form'), status = find('[role=status]'), bar = find('progress'), chart = find('svg'), best = find('#best');
const { model, calls, start, stop, over } = form.elements;
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });

/** The scores so far, and how the search is called that is under way, or was when the page was closed. */
let scores = [];
const UNDER_WAY = 'search under way';

const left = JSON.parse(localStorage.getItem(UNDER_WAY));
if (left) {
  [model.value, calls.value] = [left.model, left.calls];
  start.textContent = 'Go on';
  status.textContent = 'A search was under way when this page was closed. It goes on without asking again what was answered.';
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const search = { model: model.value, calls: calls.valueAsNumber };
  localStorage.setItem(UNDER_WAY, JSON.stringify(search));
  scores = [];
  best.hidden = true;
  running(true);
  status.textContent = 'Looking at the examples …';
  worker.postMessage(search);
});

stop.addEventListener('click', () => worker.postMessage('stop'));

over.addEventListener('click', async () => {
  await caches.delete('optimize-in-a-worker');
  localStorage.removeItem(UNDER_WAY);
  location.reload();
});

const TOLD = {
  progress({ calls, most }) {
    bar.max = most;
    bar.value = calls;
    status.textContent = `${calls} of at most ${most} calls · ${scores.length} programs tried`;
  },
  trial(program) {
    const isBetter = program.score > Math.max(...scores);
    scores.push(program.score);
    draw();
    if (isBetter) show(program);
  },
  done({ why, ...program }) {
    if (program.score !== null) show(program);
    if (!why) bar.value = bar.max;
    ended(why ? `Ended: ${why}. ${soFar()}` : 'Done. This is the best program.');
  },
  stopped: () => ended(`Stopped. ${soFar()}`),
  failed: ({ message }) => ended(message),
};
worker.addEventListener('message', ({ data: { type, ...told } }) => TOLD[type](told));
worker.addEventListener('error', ({ message }) => ended(`The worker failed: ${message}`));

const soFar = () => (best.hidden ? 'No program was scored yet.' : 'This is the best program so far.');

function ended(text) {
  localStorage.removeItem(UNDER_WAY);
  running(false);
  status.textContent = text;
}

function running(is) {
  start.hidden = is;
  stop.hidden = !is;
  model.disabled = calls.disabled = over.disabled = is;
  start.textContent = 'Start';
  document.body.dataset.state = is ? 'running' : 'ended';
}

function show({ score, instructions, demos, state }) {
  best.hidden = false;
  best.querySelector('.score strong').textContent = percent(score);
  best.querySelector('.score span').textContent = scores.length > 1 ? `of the tickets; ${percent(scores[0])} at first` : 'of the tickets';
  best.querySelector('.instructions').textContent = instructions;
  best.querySelector('.demos').textContent = demos.length === 1 ? 'One example is shown.' : `${demos.length || 'No'} examples are shown.`;
  const link = best.querySelector('a');
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([state], { type: 'application/json' }));
}

/** A bar for each program, as high as its score. */
function draw() {
  const width = 100 / Math.max(scores.length, 8);
  chart.replaceChildren(...scores.map((score, i) => {
    const rect = document.createElementNS(chart.namespaceURI, 'rect');
    const height = 0.4 * Math.max(score, 1);
    for (const [name, value] of Object.entries({ x: i * width + width * 0.1, y: 40 - height, width: width * 0.8, height })) rect.setAttribute(name, value);
    rect.classList.toggle('best', score === Math.max(...scores));
    return rect;
  }));
}

const percent = (score) => `${score.toFixed(1)}\u00a0%`;
