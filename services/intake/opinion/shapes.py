"""What looks like an address, a number, a code or somebody's name, whoever it belongs to. Every repeat is bounded."""

from __future__ import annotations

import re
from typing import Final

HAN: Final = re.compile(r"[\u3400-\u9fff]")
_H = r"\u3400-\u9fff"
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪"
    "田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_COUNT = "0-9一二三四五六七八九十百"
_STREET = (
    r"street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|way|close|crescent|place|pl|boulevard|blvd|terrace"
    r"|square|sq|gardens|row|highway|hwy|parkway|mews|grove"
)
_DIGIT = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_ENDINGS = (
    r"com|net|org|info|io|co|biz|me|app|dev|eu|uk|us|cn|hk|tw|de|fr|es|it|nl|pl|se|no|dk|fi|ch|at|be|pt|br|mx|in|jp|kr"
    r"|ru|au|nz|ca|ie|sg|example|test"
)
_NAME = r"[A-Z][a-z'’-]{1,30}"
_NAMES = rf"{_NAME}(?:[ ]{_NAME}){{0,2}}"
_I = re.IGNORECASE

#: (label, pattern, the group that is masked)
SHAPES: Final[tuple[tuple[str, re.Pattern[str], int], ...]] = tuple(
    (label, re.compile(pattern, flags), group)
    for label, pattern, flags, group in (
        ("email", rf"[^\s@<>(),;，。；：“”{_H}]{{1,64}}@[^\s@<>(),;，。；“”{_H}]{{1,253}}", 0, 0),
        (
            "email",
            r"\b[\w.+-]{1,64}\s{0,2}(?:\(at\)|\[at\]|\{at\}|\sat\s)\s{0,2}[\w-]{1,63}"
            r"(?:\s{0,2}(?:\.|\(dot\)|\[dot\]|\sdot\s)\s{0,2}[\w-]{2,63}){1,3}",
            _I,
            0,
        ),
        ("url", rf"\b(?:https?|ftp|file)://[^\s<>{_H}]{{1,2000}}|\bwww\.[^\s<>{_H}]{{1,500}}", _I, 0),
        ("url", rf"(?<![\w@.])(?:[a-z0-9-]{{1,63}}\.){{1,4}}(?:{_ENDINGS})\b(?:/[^\s<>{_H}]{{0,500}})?", _I, 0),
        ("handle", r"(?<![\w@])[@＠]\w{1,50}", 0, 0),
        ("account", r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{2,4}){3,8}(?![A-Za-z0-9])", _I, 0),
        ("number", r"[+(]{0,2}\d(?:[\s().,:/·–—_-]{0,3}\d){3,60}", 0, 0),
        ("number", rf"\b{_DIGIT}(?:[\s,-]{{1,3}}{_DIGIT}){{4,30}}\b", _I, 0),
        ("number", r"[〇零一二三四五六七八九幺两](?:\s?[〇零一二三四五六七八九幺两]){5,30}", 0, 0),
        ("code", r"(?<![A-Za-z0-9_-])(?=[A-Za-z_-]{0,40}\d)[A-Za-z0-9][A-Za-z0-9_-]{4,60}", 0, 0),
        ("code", r"(?<![A-Za-z0-9-])[CP]-[0-9A-Z]{5,12}(?![A-Za-z0-9-])", _I, 0),
        ("code", r"(?:order|account|customer|reference|ref|booking|policy|invoice|contract|case|ticket|serial)"
                 r"(?:\s?(?:number|no\.?|id|code|#|nr\.?)){1,2}\s?(?:is|was|:|=)?\s{0,2}([A-Za-z0-9_-]{3,40})", _I, 1),
        ("address", rf"\b\d{{1,5}}[a-z]?,?\s{{1,2}}(?:[\w'’.-]{{1,30}}\s){{1,4}}(?:{_STREET})\b\.?"
                    r"(?:,\s?[A-Z][\w'’ -]{1,30}){0,3}", _I, 0),
        ("address", r"\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b", _I, 0),
        ("address", r"\b(?:apt|apartment|flat|unit|suite|room|po box|p\.o\. box)\.?\s{0,2}#?\d[\w-]{0,6}\b", _I, 0),
        ("address", r"\b[\w-]{2,30}(?:strasse|straße|str\.|weg|platz|gasse|allee)\s{1,2}\d{1,4}\s?[a-z]?\b", _I, 0),
        ("address", r"\b\d{1,4},?\s(?:rue|boulevard|place|chemin|allee|impasse)\s[\w'’ -]{2,40}", _I, 0),
        ("address", r"\b(?:calle|avenida|plaza|paseo|via|viale|piazza|corso|rua)\s[\w'’ ]{2,40},?\s?\d{1,4}\b", _I, 0),
        (
            "address",
            rf"[{_H}]{{0,16}}(?:路|街|巷|弄|道|小区|花园|新村|公寓|大厦|镇|村|苑|城)[{_H}]{{0,8}}"
            rf"[{_COUNT}]{{1,5}}\s?(?:号|栋|幢|座|单元|室|楼|层|弄)"
            rf"(?:[{_COUNT}A-Za-z-]{{1,6}}\s?(?:号|栋|幢|座|单元|室|楼|层)?){{0,5}}",
            0,
            0,
        ),
        ("address", rf"[{_H}]{{2,4}}(?:省|自治区)[{_H}]{{2,8}}?(?:市|州|盟)(?:[{_H}]{{1,8}}?(?:区|县|镇|乡))?", 0, 0),
        ("name", rf"\b(?i:my name is|my name's|name is|this is|i am|i'm|it's)\s({_NAMES})", 0, 1),
        ("name", r"\bmy name(?:'s| is)\s([^\W\d]{1,30}(?:\s[^\W\d]{1,30})?)", _I, 1),
        ("name", rf"\b(?:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Sir|Madam)\.?\s(?:[A-Z]\.\s?)?{_NAMES}", 0, 0),
        ("name", rf"\b(?i:dear|hi|hello|hey|regards|cheers|sincerely|thanks|thank you|yours)[ ,]{{1,3}}({_NAMES})",
                 0, 1),
        (
            "name",
            r"\b(?:regards|cheers|sincerely|thanks|thank you|wishes|yours|faithfully|truly)[,.!]?\s{0,4}\n\s{0,8}"
            r"([^\n]{1,40})(?=\n|$)",
            _I,
            1,
        ),
        (
            "name",
            rf"\b(?i:spoke (?:to|with)|talked (?:to|with)|speaking (?:to|with)|chatted with|agent|representative|rep"
            rf"|adviser|advisor|manager|technician|engineer|colleague|named|someone called|husband|wife|son|daughter"
            rf"|mother|father|partner)[ ,]{{1,2}}({_NAMES})",
            0,
            1,
        ),
        ("name", rf"(?:我叫|我名叫|姓名[:：]?|署名[:：]?|联系人[:：]?|名字[叫是])\s?([{_H}]{{2,4}})", 0, 1),
        ("name", rf"(?:我是|本人)([{_SURNAMES}][{_H}]{{1,2}})(?=[，,。！!；;\s]|$)", 0, 1),
        ("name", rf"[{_SURNAMES}][{_H}]{{0,2}}?(?:先生|女士|小姐|太太|经理|老师|师傅|主管)", 0, 0),
    )
)  # fmt: skip
