"""What an answer says besides courtesy.

Taken away are thanks, regrets, receipts ("your message has been received"), handing on ("forwarded to the department"),
looking into it, striving, reassurance ("it will not happen again" without a word of how), offers to get in touch, and
the frame around them. What is left must hold something of this customer's matter. A piece that names money, a time by
the clock or a deed that is done is no courtesy, whatever it begins with.
"""

from __future__ import annotations

import re
from typing import Final

from services.escalation.canned.masks import level, numbered, own

#: what must be left, in letters (a Chinese sign counts for three), small words not counted
SPECIFIC: Final = 18
#: what one deed or sum counts for: "Sorry. Refunded." is an answer
_DEED: Final = 14

#: deeds that are done, and sums
_EVIDENCE = re.compile(
    r"\b(?:refunded|reimbursed|credited|repaid|replaced|repaired|mended|fixed|reconnected|restored|reinstated|waived|"
    r"cancelled|canceled|resent|re-sent|delivered|collected|installed|corrected|removed|unlocked|unblocked|rebooked|"
    r"upgraded|paid back|taken off|switched off|sent (?:you|back|out)|compensat\w+ of|dismissed|suspended)\b|"
    r"(?:[$€£¥￥]|\b(?:usd|eur|gbp|cny|rmb)\s?)\d|\d[\d.,]*\s?(?:usd|eur|gbp|cny|rmb|euros?|dollars?|pounds?|yuan|元|块)|"
    r"\b\d{1,2}(?::\d\d|\s?[ap]m)\b|\bat (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon)\b|"
    r"退款|退[还回]|退了|退您|到账|赔[付偿给]|补发|补偿|补寄|返还|换[了新好]|更换|修[好复]|已修|疏通|恢复|修正|更正|拆除|扣罚|处罚|"
    r"罚款|辞退|停职|开除|已撤销|已解除|已开通|已安装|送到|上门|免除|减免|抵扣|列入|纳入|竣工|完工|整改到位|整改完毕|责令",
    re.IGNORECASE,
)

_TAIL = r"[^.!?;。！？；\n]"
_ENGLISH = (
    # thanks
    rf"(?:(?:many|with) )?(?:thank(?:s| you))\b{_TAIL}{{0,140}}",
    rf"(?:we|i)?(?:'d| would)?(?: like to)? ?(?:really |truly |greatly |very much |deeply |sincerely |highly )*"
    rf"(?:value|appreciate|thank you|are grateful|am grateful|welcome)\b{_TAIL}{{0,120}}",
    rf"(?:we|i) are (?:always )?(?:happy|glad|pleased|here|delighted)\b{_TAIL}{{0,80}}",
    # regrets: sorry for something that has a name is not courtesy, what comes after it counts
    r"(?:we|i|please|on behalf of [^.!?;,\n]{0,40},? ?(?:we|i)?)?(?:'m| am|'re| are| do| must| would like to| want to| wish to)?"
    r" ?(?:also |very |so |truly |deeply |sincerely |really |once again |again |extremely |most )*"
    r"(?:sorry|apologi[sz]e|regret|regretful)\b(?: sincerely| once again| again)?"
    r"(?: to (?:hear|learn|read)(?: (?:that|about|of))?)?"
    r"(?:[^.!?;,\n]{0,50}\b(?:inconvenience|experiences?|trouble|frustrations?|disappointment|issues?|difficult\w*|"
    r"situation|distress|upset|delays?|problems?|satisf\w+|expectations?|let you down)\b[^.!?;,\n]{0,60})?",
    rf"(?:please )?accept (?:our|my) {_TAIL}{{0,40}}apolog{_TAIL}{{0,80}}",
    rf"(?:our|my) (?:sincere|sincerest|deepest|heartfelt|humble) apolog{_TAIL}{{0,80}}",
    rf"(?:we|i)(?: can| do| fully| completely| truly| totally)* (?:understand|realise|realize|recognise|recognize|hear|know)"
    rf" (?:you|your|how|that|this|the) ?{_TAIL}{{0,20}}(?:frustrat|disappoint|feel|concern|upset|annoy|inconvenien|"
    rf"difficult|frustration|importan|situation|position|point|you){_TAIL}{{0,60}}",
    r"(?:we|i) (?:hear|understand) you\b",
    # your satisfaction, your feedback
    rf"(?:your|customer|customers'|every customer's|our customers'?)(?: \w+){{0,2}} (?:feedback|satisfaction|opinions?|"
    rf"experience|concerns?|complaint|case|enquiry|inquiry|message|request|comments?|email|e-mail|letter|trust|loyalty|"
    rf"patience|understanding|happiness|ticket|query|suggestions?|input|report)\b{_TAIL}{{0,60}}(?:important|valued?|"
    rf"matters?|priorit\w+|noted|serious\w*|receiv\w+|review\w*|appreciated|heart|everything|help\w* us|record\w*|logged|"
    rf"registered|consider\w*|investigat\w+|process\w*|looked|forward\w*|passed|escalat\w+|shared|assigned|handled|"
    rf"attention|under|improve|used){_TAIL}{{0,100}}",
    rf"(?:you are|you're|as) (?:a |our )?(?:highly |very |most )?(?:valued|important|loyal) {_TAIL}{{0,60}}",
    rf"(?:our|every) (?:customers?|clients?|guests?) (?:is|are|come|comes|always) {_TAIL}{{0,80}}",
    rf"(?:customers?|your) (?:satisfaction|happiness|service){_TAIL}{{0,20}} is {_TAIL}{{0,60}}",
    # handed on, looked into
    rf"(?:it|this|that|the matter|your \w+|they|which|everything|all of this)? ?(?:has|have|had|will be|is|are|was|were)"
    rf"(?: now| also| already)?(?: been| being)? ?(?:forwarded|passed on|passed to|escalated|shared with|noted|logged|"
    rf"brought to|under (?:review|investigation)|being (?:looked|handled|processed|reviewed|investigated|dealt)|"
    rf"looked into|reviewed|investigated|processed|taken care of|dealt with|handled){_TAIL}{{0,110}}",
    rf"(?:we|i|our team|the team|the relevant \w+|our \w+ (?:team|department))?(?:'ll| will| shall|'ve| have|'re| are|'m| am)?"
    rf"(?: now| also| already| personally| currently| carefully| always)? ?(?:be |been )?(?:look(?:ed|ing)? (?:into|at)|"
    rf"investigat(?:e|ing)|review(?:ing)?|forward(?:ed|ing)?|pass(?:ed|ing)? (?:this|it|your|that|on|along)|escalat(?:e|ed|ing)|"
    rf"follow(?:ed|ing)? (?:this |it )?up|shar(?:e|ed|ing) (?:this|it|your|them)|rais(?:e|ed|ing) (?:this|it|your)|"
    rf"bring(?:ing)? this|not(?:e|ed|ing) (?:your|this|the)|taken? (?:note|this on board|on board)) ?{_TAIL}{{0,110}}",
    rf"(?:we|i|(?:our|the) (?:\w+ ){{0,3}}(?:teams?|staff|colleagues|specialists|department))"
    rf"(?:'re| are| is|'m| am| have been| has been| will be)? (?:currently |still |all |already )?"
    rf"(?:working|doing (?:everything|our best|all))\b{_TAIL}{{0,100}}",
    rf"(?:we|i)(?:'ll| will| shall)?(?: also| always)? (?:do|try|make) (?:our best|my best|everything|all we can|better|"
    rf"every effort|it right|this right|things right|it up to you|sure){_TAIL}{{0,100}}",
    rf"(?:someone|somebody|a member of {_TAIL}{{0,30}}|(?:one of )?our (?:\w+ ){{0,3}}(?:team|department|agents?|staff|"
    rf"colleagues?|specialists?|representatives?)|we|i|they|the \w+ (?:team|department)|a (?:\w+ )?representative)"
    rf"(?:'ll| will| shall) (?:\w+ )?(?:be in touch|be in contact|contact|get back|reply|respond|come back|reach out|"
    rf"update|keep you|call you|inform|let you know|be happy|be glad|assist|help|handle|take care|deal){_TAIL}{{0,100}}",
    rf"(?:as soon as possible|in due course|shortly|at the earliest{_TAIL}{{0,20}}|in a timely manner|soon)\b",
    rf"(?:within|in) (?:the next )?\d[\d -]*(?:to \d+ )?(?:business |working )?(?:days?|hours?|weeks?)\b",
    # striving, seriousness, reassurance
    rf"(?:we|i|our company|our team|at \w+,? we)(?: always| constantly| continually| continuously| do| all| will| are)* "
    rf"(?:strive|aim|endeavou?r|work hard|committed|dedicated|seek|pride|try hard|continue|aspire|value|care|hope|"
    rf"look forward|wish|want|trust|believe)\b{_TAIL}{{0,130}}",
    rf"(?:we|i) (?:take|treat|handle){_TAIL}{{0,60}}serious{_TAIL}{{0,40}}",
    rf"(?:we|i) hold (?:ourselves|myself){_TAIL}{{0,80}}",
    rf"(?:please )?(?:rest assured|be assured|know that|bear with|be patient|allow us|give us){_TAIL}{{0,100}}",
    rf"(?:it|this|that|such (?:\w+ )?\w+|these \w+|what happened|your experience|the (?:service|experience)(?: you received)?)"
    rf"(?:'ll| will| would| shall| should| does| did| is| was)? ?(?:not|never|n't|in no way)\b{_TAIL}{{0,30}}(?:happen|occur|"
    rf"repeat|again|standard|expect|want|aim|accept|level|reflect|what we|how we|usual|intend){_TAIL}{{0,80}}",
    r"(?:we|i) (?:can |would like to |want to |wish to )?(?:assure|reassure) (?:you )?(?:that )?",
    rf"(?:we|i) (?:promise|guarantee) (?:you )?{_TAIL}{{0,30}}(?:again|better|seriously|improve|effort|best|"
    rf"attention|care){_TAIL}{{0,60}}",
    rf"(?:we|i)(?:'ve| have|'ll| will)? ?(?:let you down|fall(?:en)? short|fell short|fail(?:ed)? you|learn(?:ed|t)?|"
    rf"improve|do better|can do better|must do better|know better){_TAIL}{{0,80}}",
    rf"(?:lessons|appropriate|necessary|corrective|internal|all) (?:have been learn|will be learn|steps|action|actions|"
    rf"measures|changes|review|reviews){_TAIL}{{0,80}}",
    rf"(?:to |so that (?:this|it) |which )?(?:ensure|prevent|avoid|make sure)\b{_TAIL}{{0,30}}(?:again|future|recur|such|"
    rf"similar|highest|best|satisf){_TAIL}{{0,60}}",
    rf"(?:in order )?to (?:help us )?(?:improve|better serve|serve you|serve our|make (?:our|your)){_TAIL}{{0,60}}",
    # offers, ends
    rf"(?:(?:please|kindly|and|also) )*(?:do not hesitate|don't hesitate|feel free|let (?:us|me) know|contact us|"
    rf"get in touch|reach out|reach us|call us|stay tuned|check back|visit our|refer to our|see our|note that){_TAIL}{{0,100}}",
    rf"(?:if|should|whenever|in case) (?:you|there)(?: should| do| is| are)? (?:have|need|require|be|any|wish|would|still)"
    rf"{_TAIL}{{0,100}}",
    rf"(?:we|i) (?:hope|look forward|wish){_TAIL}{{0,100}}",
    rf"(?:have|enjoy|wishing you) (?:a|an|the rest|your|all) {_TAIL}{{0,40}}(?:day|week|weekend|evening|best)\b",
    r"(?:dear |valued |esteemed )+(?:customers?|guests?|clients?|sir|madam|passengers?|members?)(?: or madam)?",
    r"(?:take care|all the best|many thanks|yours|cheers|kind regards|best wishes|warm regards|the \w+(?: \w+){0,2} team)\b",
    rf"for (?:your|any|the) (?:patience|understanding|feedback|patronage|support|inconvenience){_TAIL}{{0,60}}",
)
_PART = r"[^。！？!?；;\n]"
_CLAUSE = r"[^。！？!?；;，,\n]"
_CHINESE = (
    rf"(?:再次|衷心|由衷|非常|十分|很|首先|最后|也|并|在此|对此)*(?:感谢|谢谢|多谢|致谢|谢意){_CLAUSE}{{0,50}}",
    rf"(?:非常|十分|深感|深表|对此|我们|我司|为此|表示|感到|诚挚|诚恳|由衷|实在|真的|再次|向您|向你|很|请您|请|万分|谨)*"
    rf"(?:抱歉|歉意|道歉|致歉|对不起|不好意思|遗憾|见谅|谅解|包涵|海涵){_CLAUSE}{{0,30}}",
    rf"(?:给|为|对|因此)?[您你]?{_CLAUSE}{{0,8}}(?:带来|造成){_CLAUSE}{{0,12}}(?:不便|困扰|不愉快|影响|麻烦|体验){_CLAUSE}{{0,20}}",
    rf"(?:我们|我司|公司|我局|我办|单位|领导|平台)?(?:对此|对您|对你)?{_CLAUSE}{{0,10}}(?:会|将|已)?(?:高度|非常|十分|极为|特别)"
    rf"(?:重视|关注){_CLAUSE}{{0,30}}",
    # receipts
    rf"(?:[您你]|网友|留言|来信|来帖|帖文|函件|此帖|问题|意见|诉求|建议|反馈|投诉)(?:(?![未不无没]){_PART}){{0,60}}"
    rf"(?:收悉|已阅|阅悉|收到|知悉|获悉|已经?(?:被)?(?:受理|记录|登记)){_CLAUSE}{{0,12}}",
    r"(?:事件|受理|工单|投诉|案件)?编号",
    r"(?:留言|来信|函件|来函|投诉)(?:已)?(?:收悉|已阅|收到)",
    rf"(?:现|经{_CLAUSE}{{0,20}}，?现?|特|作出|作|予以|做)?(?:将|就|对)?{_CLAUSE}{{0,24}}(?:回复|答复|反馈|回答|说明|函复|汇报|解答)如下",
    r"(?:特此|专此|此致|敬礼|顺颂|顺祝)(?:回复|答复|函复|说明|商祺)?",
    # handed on, and nothing else (money that is sent back is another thing)
    rf"(?:(?:[您你]|就此|关于){_CLAUSE}{{0,30}}，?)?(?:已|将|会|并|现|我们|我办|我局|我司){_CLAUSE}{{0,30}}"
    rf"(?:移交|转交|转至|转给(?![您你])|转办|转送|交办|交由|(?<!提)交(?![警通易费管付流代])(?:给|至)?{_CLAUSE}{{0,8}}(?:部门|单位|人员)|反馈[至给]|上报|呈报|报告了|汇报给|"
    rf"如实反映|向上反映|转达|通报给|报送|转(?![入账款到院诊正弯]|给[您你])){_PART}{{0,60}}",
    # will be looked into
    rf"(?:同时|并|我们|我司|我办|我局|公司|平台|相关部门|有关部门|工作人员|客服|专人)*(?:将|会|正在|正|已)(?:会|要)?{_CLAUSE}{{0,12}}"
    rf"(?:尽快|及时|积极|认真|迅速|第一时间|抓紧|进一步|持续|充分|全力|努力|尽力|尽最大|严肃|妥善|稍后|逐步|不断){_CLAUSE}{{0,40}}",
    rf"(?:尽快|及时|积极|认真|迅速|第一时间|抓紧|尽全力|尽力|稍后会?|妥善)(?:为您|给您|予以|进行|对您|与您)?{_CLAUSE}{{0,10}}"
    rf"(?:处理|核实|调查|反馈|回复|答复|解决|联系|跟进|研究|改进|办理|落实|协调){_CLAUSE}{{0,16}}",
    rf"(?:同时|并|将|会|已|正)*(?:安排|指派|要求|督促|责成)(?:专人|相关部门|有关部门|相关人员|工作人员|专门人员|相关单位){_CLAUSE}{{0,40}}",
    rf"(?:有关|相关|后续|具体)(?:情况|进度|进展|结果|事宜|问题){_CLAUSE}{{0,16}}(?:反馈|回复|告知|通知|联系|公布|关注|处理|解决){_CLAUSE}{{0,10}}",
    rf"(?:将|会|正在|已)?{_CLAUSE}{{0,10}}(?:调查核处|调查处理|核查[、]?办复|核实[、]?办复|跟踪处理|持续关注|督促办理|跟进处理|调查核实|研究处理|"
    rf"充分论证|调研论证|认真考虑|认真研究|充分考虑|考虑您的建议|考虑你的建议|采纳|虚心接受){_CLAUSE}{{0,24}}",
    rf"(?:处理|核实|调查|研究|跟进|审核)中",
    # striving, reassurance
    rf"(?:我们|公司|我司|今后|以后|将|会|并)*{_CLAUSE}{{0,10}}(?:加强|提升|提高|改进|优化|完善|改善|强化|规范){_CLAUSE}{{0,8}}"
    rf"(?:管理|培训|服务|质量|水平|监督|监管|教育|体验|流程|工作|品质|力度|意识|制度){_CLAUSE}{{0,24}}",
    rf"{_CLAUSE}{{0,12}}(?:引以为戒|吸取教训|举一反三|杜绝|避免|防止|不会再|绝不再|不再){_CLAUSE}{{0,16}}(?:发生|出现|类似|此类|情况|事件|问题|工作)"
    rf"{_CLAUSE}{{0,12}}",
    rf"(?:我们|公司|平台)?(?:始终|一直|一贯|竭诚|竭力|努力|致力|全心全意|坚持|秉承|本着){_CLAUSE}{{0,40}}",
    rf"(?:为您|为客户|为用户|为顾客|给您)(?:提供|带来)更?(?:好|优质|完善|满意|贴心|优)?{_CLAUSE}{{0,4}}(?:的)?(?:服务|体验){_CLAUSE}{{0,12}}",
    rf"[您你]的{_CLAUSE}{{0,10}}(?:满意|支持|信任|意见|建议|反馈|体验|认可|感受){_CLAUSE}{{0,6}}(?:是|对|很|非常|将|有助|就是){_CLAUSE}{{0,30}}",
    rf"(?:完全|非常|十分|能够|充分|很)?(?:理解|明白|体谅|体会){_CLAUSE}{{0,6}}[您你]{_CLAUSE}{{0,20}}",
    rf"[您你]的{_CLAUSE}{{0,4}}(?:心情|感受|处境|难处|遭遇){_CLAUSE}{{0,12}}",
    rf"(?:给|让)[您你]?{_CLAUSE}{{0,6}}满意{_CLAUSE}{{0,10}}",
    rf"(?:已经?|会|将|正在)?(?:为您|帮您|给您)?(?:加急|加快|催促|优先|抓紧){_CLAUSE}{{0,4}}(?:处理|办理|核实|解决){_CLAUSE}{{0,6}}",
    rf"(?:请您?|敬请|还请|烦请|恳请|望您?)(?:您|你|广大网友|网友)?(?:放心|耐心|稍候|稍等|稍作|等待|等候|关注|留意|继续|理解|谅解|见谅|勿|不要担心|"
    rf"多多|一如既往|支持|监督|批评|保持){_PART}{{0,30}}",
    rf"(?:希望|期待|期望|盼|愿){_CLAUSE}{{0,16}}(?:支持|监督|理解|谅解|再次|光临|服务|合作|机会|满意|关注){_CLAUSE}{{0,20}}",
    # offers, ends
    rf"(?:欢迎|如有|若有|如果您?有|如您?有|如对|如您对|若您?有|有任何){_PART}{{0,50}}(?:联系|来电|监督|疑问|致电|拨打|咨询|留言|反馈|意见|建议|问题)"
    rf"{_PART}{{0,30}}",
    rf"(?:祝|祝愿|顺祝|恭祝)[您你]?{_CLAUSE}{{0,20}}",
    rf"(?:尊敬的|亲爱的){_CLAUSE}{{0,10}}(?:客户|用户|顾客|网友|市民|先生|女士|朋友|您)",
    r"(?:[您您好你]好|网友|网民|楼主|各位)",
)
_PATTERNS = tuple(
    (re.compile(script), re.compile("|".join(patterns), re.IGNORECASE))
    for script, patterns in (("[A-Za-z]{2}", _ENGLISH), ("[\u4e00-\u9fff]", _CHINESE))
)
#: small words, which fill an answer without saying anything
_SMALL = re.compile(
    r"\b(?:a|an|the|and|or|but|so|to|of|for|in|on|at|as|by|with|from|that|this|it|its|is|are|was|were|be|been|has|have|"
    r"had|do|does|did|will|would|can|could|shall|should|may|we|i|you|your|yours|our|us|my|me|they|their|them|he|she|"
    r"any|all|very|again|also|please|kindly|further|regarding|about|here|there|if|not|no|s|m|re|ll|ve|d|t|team|dear|"
    r"customer|sir|madam|matter|issue|concern|case|complaint|problem|sincerely|regards)\b|"
    r"有关|相关|情况|问题|我办|我局|我司|我们|在此|同时|首先|再次|关于|针对|对于|反映|建议|留言|来信|现|就|您|你|的|已|将|会|了|也|并|请|对|所|此|和|与|及|"
    r"给|为|其|该|后|中|着|地|网友|先生|女士",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"[\W_#]+")


def weight(text: str) -> int:
    """How much a text says, in letters; a Chinese sign counts for three."""
    plain = _NOTHING.sub("", text)
    return sum(3 if "\u4e00" <= letter <= "\u9fff" else 1 for letter in plain)


def without(text: str) -> tuple[str, bool]:
    """A text without what is courtesy, and whether any was found."""
    found = False

    def take(match: re.Match[str]) -> str:
        nonlocal found
        if _EVIDENCE.search(match.group()):
            return match.group()
        found = found or bool(match.group().strip())
        return " "

    for script, patterns in _PATTERNS:
        if script.search(text):
            text = patterns.sub(take, text)
    return text, found


def alone(text: str) -> bool:
    """Whether nothing but courtesy is in it."""
    left, found = without(own(text))
    said = _SMALL.sub(" ", level(numbered(left)))
    deeds = len(_EVIDENCE.findall(left))
    if found:
        return weight(said) + _DEED * min(deeds, 2) < SPECIFIC
    return not deeds and weight(said) == 0
