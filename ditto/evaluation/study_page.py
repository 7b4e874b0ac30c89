"""The page of a user study: two unnamed videos, the study's questions, results to save."""

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Which one is better?</title>
<style>
body{font:16px/1.5 sans-serif;max-width:1100px;margin:1.5em auto;color:#222}
.two{display:flex;gap:1em}.two div{flex:1;text-align:center}video{width:100%;background:#000}
fieldset{border:0;margin:.4em 0;padding:0}label{margin-left:1em}
button{font:inherit;padding:.4em 1em}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:3px 10px}
</style><body>
<h1>Which one is better?</h1>
<p id="place"></p>
<div id="task"><div class="two"><div><video id="left" controls></video>left</div>
<div><video id="right" controls></video>right</div></div>
<form id="questions"></form><button id="next" disabled>next</button></div>
<div id="end" hidden><h2>Thank you</h2><table id="table"></table>
<p><button id="save">save the answers (JSON)</button></p></div>
<script type="application/json" id="content">@CONTENT@</script>
<script>
const content = JSON.parse(document.getElementById("content").textContent);
const get = id => document.getElementById(id);
const answers = [];
let sides = [];

function show() {
  const pair = content.pairs[answers.length];
  if (!pair) return finish();
  sides = Math.random() < 0.5 ? pair.methods : [...pair.methods].reverse();
  get("place").textContent = `${answers.length + 1} of ${content.pairs.length}`;
  ["left", "right"].forEach((side, i) => {
    get(side).src = content.videos[`${sides[i]}/${pair.clip}`];
  });
  get("questions").replaceChildren(...Object.entries(content.questions).map(question));
  get("next").disabled = true;
}

function question([name, text]) {
  const set = document.createElement("fieldset");
  set.append(text);
  ["left", "right"].forEach(side => {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, {type: "radio", name, value: side});
    input.onchange = () => { get("next").disabled = Object.keys(chosen()).length < count(); };
    label.append(input, " " + side);
    set.append(label);
  });
  return set;
}

const count = () => Object.keys(content.questions).length;
const chosen = () => Object.fromEntries([...new FormData(get("questions"))].map(
  ([name, side]) => [name, sides[side === "left" ? 0 : 1]]));

get("next").onclick = event => {
  event.preventDefault();
  const {clip} = content.pairs[answers.length];
  answers.push({clip, methods: [...sides].sort(), left: sides[0], chosen: chosen()});
  show();
};

function finish() {
  get("task").hidden = true;
  get("place").hidden = true;
  get("end").hidden = false;
  const methods = [...new Set(content.pairs.flatMap(pair => pair.methods))].sort();
  const names = Object.keys(content.questions);
  const share = (method, name) => {
    const asked = answers.filter(row => row.methods.includes(method));
    const won = asked.filter(row => row.chosen[name] === method).length;
    return `${(100 * won / asked.length).toFixed(0)} %`;
  };
  const rows = [["method", ...names], ...methods.map(m => [m, ...names.map(n => share(m, n))])];
  get("table").replaceChildren(...rows.map(cells => {
    const row = document.createElement("tr");
    row.append(...cells.map(text => {
      const cell = document.createElement("td");
      cell.textContent = text;
      return cell;
    }));
    return row;
  }));
}

get("save").onclick = () => {
  const file = new Blob([JSON.stringify({answers}, null, 1)], {type: "application/json"});
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = "answers.json";
  link.click();
};

show();
</script></body></html>
"""
"""`@CONTENT@` stands for the questions, pairs and videos as JSON."""
