/** Of the report; tokens are those of the page. */
export const STYLE = `:root{color-scheme:light dark;--paper:light-dark(#eef1f3,#0d1214);--sheet:light-dark(#fff,#151c20);--ink:light-dark(#14202a,#e7edf0);
--soft:light-dark(#4b5a66,#a5b3bc);--line:light-dark(#d5dce1,#2a353b);--track:light-dark(#e9edf0,#222c32);--warn:light-dark(#fff2cf,#33270b);--warn-ink:light-dark(#5f4100,#ffdc94);
--box:light-dark(#0a6577,#63cbdb);--p1:light-dark(#b3541e,#f2a36b);--p3:light-dark(#6b3fa0,#bf9bee);--p5:light-dark(#2f7d32,#8bd48e);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;font-variant-numeric:tabular-nums}
*,::before{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink)}header,main{max-width:1200px;margin:0 auto;padding:0 20px}header{padding-top:28px}
h1,h2,h3,p,dl,dd,figure,ul{margin:0}h1{font-size:26px;line-height:1.25;letter-spacing:-.01em;overflow-wrap:anywhere}h2{font-size:18px}h3{font-size:14px}small{font-weight:400}
section{background:var(--sheet);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin:16px 0;display:grid;gap:14px;grid-template-columns:minmax(0,1fr)}
.note,small,dt,figcaption{color:var(--soft);font-size:13px}.clinical{color:var(--soft);margin-top:4px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,11rem),1fr));gap:8px 24px;margin-top:16px}dd{overflow-wrap:anywhere}.facts .wide{grid-column:1/-1}
table{border-collapse:collapse;width:100%;max-width:640px}th,td{padding:7px 10px;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child>*{border-bottom:0}thead th{color:var(--soft);font-size:13px;font-weight:500;vertical-align:bottom}th:first-child{text-align:left;padding-left:0}td:last-child,th:last-child{padding-right:0}
tbody th{font-weight:600;white-space:nowrap}td b{font-size:17px}td small{display:block;white-space:nowrap}
.box{--c:var(--box)}.p1{--c:var(--p1)}.p3{--c:var(--p3)}.p5{--c:var(--p5)}.key::before{content:"";display:inline-block;width:10px;height:10px;border-radius:2px;background:var(--c);margin-right:8px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,230px),1fr));gap:22px 28px}.plot{display:grid;gap:6px}
.bins{position:relative;display:flex;align-items:flex-end;gap:1px;height:110px;border-bottom:1px solid var(--soft)}.bins i{flex:1;background:var(--c);min-height:0}
.bins u{position:absolute;top:0;bottom:0;border-left:2px dashed var(--ink)}.ticks{display:flex;justify-content:space-between;color:var(--soft);font-size:12px;line-height:1}
.cases{display:grid;gap:10px}.row{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:16px}figure{display:grid;gap:6px;align-content:start}
figure img{display:block;width:100%;aspect-ratio:1;object-fit:contain;background:#07090b;border-radius:6px}figcaption{overflow-wrap:anywhere}figcaption b{display:block;color:var(--ink)}figcaption b::first-letter{text-transform:uppercase}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;font-size:13px;color:var(--soft)}.legend span::before{content:"";display:inline-block;width:14px;height:10px;margin-right:7px;border-radius:2px}
.found::before{background:#1e90ff}.truth::before{border:2px solid #c9b500;background:#ffe60040}.given::before{border:2px dashed var(--ink)}.in::before{background:#28c83c}.out::before{background:#e62828}
.groups{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:20px 36px}.group{display:grid;gap:3px;align-content:start}.group h3{overflow-wrap:anywhere;margin-bottom:2px}
.bar{display:grid;grid-template-columns:4.3rem minmax(0,1fr) 3.2rem;gap:10px;align-items:center;font-size:13px;line-height:1.35}.bar span:first-child{color:var(--soft)}.bar span:last-child{text-align:right}
.track{position:relative;height:10px;border-radius:2px;background:linear-gradient(var(--line),var(--line)) 50%/1px 100% no-repeat var(--track)}.track i{position:absolute;inset:0 auto 0 0;border-radius:2px;background:var(--c)}
.track u{position:absolute;top:-1px;bottom:-1px;border:solid var(--ink);border-width:0 1.5px;background:linear-gradient(var(--ink),var(--ink)) center/100% 1.5px no-repeat}
.problems{background:var(--warn);color:var(--warn-ink)}.problems ul{padding-left:1.2em;overflow-wrap:anywhere}
@media(max-width:560px){header,main{padding:0 12px}header{padding-top:18px}section{padding:14px}th,td{padding:7px 5px}.row{grid-template-columns:1fr}
figure{grid-template-columns:150px minmax(0,1fr);gap:12px}}
@media print{body{background:none}section{break-inside:avoid;border:0;padding:0}}`;
