"""What a form leaves open, masked: greeting, signature, numbers, dates, names, places, departments."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: stands for whatever was masked
MASK = "#"

#: who a reader of public boards is, where nobody knows a name
_READER = r"(?:网友|网民|楼主|来信人|市民|先生|女士|朋友|用户|客户|顾客)"
_GREETING = re.compile(
    r"^\s*(?:dear|hello|hi|hey|good (?:morning|afternoon|evening))\b"
    r"(?!\s+(?:i|we|you|your|the|this|it|my|our|thanks?)\b)"
    r"(?:\s+[\w.'’-]{1,30}){0,5}\s*(?:[,:;!\n，]|\.(?=\s|\Z)|\Z)|"
    rf"^\s*(?:尊敬的|亲爱的)?[^\n，。：,:]{{0,30}}(?:您好|你好|{_READER}\s*[：:])[^\n，。：,:!！]{{0,20}}[，。：,:!！\s]"
    r"|^\s*(?:您好|你好)[，。：,:!！\s]?",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"\n(?:--\n.*|(?:(?:with )?(?:kind|best|warm)(?:est)? |many |with )?(?:regards|wishes|thanks)\b.*|"
    r"yours (?:sincerely|faithfully|truly)\b.*|(?:sincerely|respectfully|cheers)\b.*)\Z|"
    r"(?:此致[\s\S]{0,4}敬礼|特此(?:回复|答复|函复|说明)|(?:最后)?祝[您你]?[^\n。]{0,20}[。！!]?)[\s\S]{0,60}\Z|"
    # a department and a date, or either of them, after the last sentence
    r"(?:\A|(?<=[。！!？?.\s]))[\u4e00-\u9fffA-Z0-9]{0,20}\s*"
    r"(?:19|20)\d\d\s*(?:年\s*\d{1,2}\s*月\s*\d{1,2}\s*日?|[./-]\d{1,2}[./-]\d{1,2})[。\s]*\Z|"
    r"(?<=[。！!？?])\s*[\u4e00-\u9fffA-Z0-9]{2,16}(?:局|办|处|委|中心|政府|委员会|公司|客服部?|热线)\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
#: where a signature is looked for, from the end
_MOST_SIGNATURE = 300

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
    "钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文欧阳"
)
_NUMBERED = (
    # what is masked already, in data or by a tool
    (re.compile(r"[“\"「]?[A-Z]{0,3}<[a-z_]{2,12}>[”\"」]?"), MASK),
    (re.compile(r"\b[CP]-[0-9A-Z]{4,10}\b"), MASK),
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.[\w.]+|https?://\S+"), MASK),
    (re.compile(r"[零一二三四五六七八九十百千两\d]{1,8}\s*(?:年|月|日|号|时|点|分|天|周|小时|分钟|元|块)"), MASK),
    (re.compile(r"(?:今|明|昨|后|前)(?:天|日|晚|早)|(?:周|星期)[一二三四五六日天]|[上下]午|[早晚]上"), MASK),
    (
        re.compile(
            r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:january|february|march|april|june|july|august|"
            r"september|october|november|december)\b|\b(?:today|tomorrow|yesterday|tonight)\b",
            re.IGNORECASE,
        ),
        MASK,
    ),
    # numbers, also inside what is named by letters and numbers: orders, devices, districts
    (re.compile(r"[A-Za-z]{0,4}[-#]?[\d０-９][\d０-９.,:/%-]*(?:st|nd|rd|th|am|pm|[A-Z]{1,3})?\b|[\d０-９]+"), MASK),
)
_NAMED = (
    (re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr)\b\.?\s+[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)?"), MASK),
    # a capital where no sentence begins is a name: of somebody, a place, a product
    (re.compile(r"(?<=[a-z0-9,;)#'’] )[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)*"), MASK),
    (
        re.compile(
            rf"[{_SURNAMES}][\u4e00-\u9fff]{{0,2}}(?:先生|女士|小姐|师傅|经理|主任|老师|同志|总|工)|"
            rf"(?<=[姓叫是])[{_SURNAMES}]"
        ),
        MASK,
    ),
    (re.compile(r"(?:[A-Z]#?|[\u4e00-\u9fff]{2})(?=[省市县区州镇乡])"), MASK),
    (
        re.compile(
            r"[\u4e00-\u9fff]{2,4}(?:局|委员会|管委会|办公室|办事处|部门|分公司|公司|街道办|支队|大队|中心|政府|单位|科)"
        ),
        MASK,
    ),
)
#: a place in a template that was to be filled in
_OPEN = re.compile(
    r"\{\{[^{}\n]{1,60}\}\}|\{[A-Za-z_ ]{2,30}\}|"
    r"\[[^\]\n]{0,20}\b(?:name|date|number|amount|order|customer|product|insert|reason|title|reference)\b[^\]\n]{0,30}\]|"
    r"【[^】\n]{0,8}(?:姓名|名称|日期|编号|金额|原因|填写)[^】\n]{0,8}】|"
    r"(?<![A-Za-z\d])[XxＸ×]{2,6}(?=先生|女士|客户|公司|元|号|年|月|日)",
    re.IGNORECASE,
)
#: signs without a shape of their own, between whose two sides a reader sees nothing
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
#: letters of other scripts that look like Latin ones
_LOOKALIKE = str.maketrans(
    "аеорсухіјѕһԁԛԝАВЕКМНОРСТХУІЈЅԚԜοιυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijshdqwABEKMHOPCTXYIJSQWoiuABEZHIKMNOPTYX"
)
_RUN = re.compile(rf"{MASK}(?:[\s、,，]*{MASK})+")


def seen(text: str) -> str:
    """The text as a reader sees it: what is the same to the eye is the same."""
    return _UNSEEN.sub("", text).translate(_LOOKALIKE)


def unfilled(text: str) -> bool:
    """Whether a place is still open that a template left for a name, a date, a sum."""
    return _OPEN.search(text) is not None


def own(text: str) -> str:
    """What somebody said, without greeting and signature."""
    lines = "\n".join(filter(None, (one.strip() for one in seen(text).splitlines())))
    for _ in range(3):  # "Dear Ms Li, hello!" greets twice
        lines, found = _GREETING.subn("", lines, count=1)
        if not found:
            break
    said = lines.strip()
    tail = said[-_MOST_SIGNATURE:]
    for _ in range(3):
        tail, found = _SIGNATURE.subn("", tail, count=1)
        if not found:
            break
    return (said[:-_MOST_SIGNATURE] + tail).strip()


def unnamed(text: str, names: Iterable[str]) -> str:
    """The text with these names masked."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, MASK)
    return text


def masked(text: str) -> str:
    """The text with everything masked that a form leaves open."""
    text = numbered(text)
    for pattern, mask in _NAMED:
        text = pattern.sub(mask, text)
    return _RUN.sub(MASK, text)


def numbered(text: str) -> str:
    """The text with numbers, dates, times, addresses and references masked, but no names."""
    for pattern, mask in _NUMBERED:
        text = pattern.sub(mask, text)
    return _RUN.sub(MASK, text)


def level(text: str) -> str:
    """In small letters and one line."""
    return " ".join(text.lower().split())


def body(text: str) -> str:
    """What two answers are compared by."""
    return level(masked(own(text)))
