"""What the customer's page says, in English and Chinese."""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "title": "Is it solved?",
        "reference": "Your complaint",
        "ask": "You complained to us, and we have answered. Only you can say whether it is solved.",
        "our_answer": "Our answer",
        "yes": "Yes, it is solved",
        "no": "No, it is not solved",
        "comment": "Do you want to tell us more? (optional)",
        "send": "Send",
        "choose": "Please choose yes or no.",
        "too_long": "That is too long. Please shorten it.",
        "thanks_yes": "Thank you. You said that it is solved, and we have closed your complaint.",
        "thanks_no": "Thank you for telling us. Your complaint is open again, and the same person goes on with it.",
        "open": "Your complaint is open, and we are working on it.",
        "replaced": "There is a newer answer. Please use the link in our latest message.",
        "closed": "Your complaint is closed. If something is still wrong, please write or call: we will take it up.",
        "gone": "This link is not valid any more. Please write or call us, and we will help.",
    },
    "zh": {
        "title": "问题解决了吗？",
        "reference": "您的投诉",
        "ask": "您向我们提出了投诉，我们已经答复。是否已经解决，只由您说了算。",
        "our_answer": "我们的答复",
        "yes": "是的，已经解决",
        "no": "没有，还没有解决",
        "comment": "您还想告诉我们什么？（选填）",
        "send": "提交",
        "choose": "请选择“是”或“否”。",
        "too_long": "内容太长，请缩短一些。",
        "thanks_yes": "谢谢。您说问题已经解决，我们已结束这项投诉。",
        "thanks_no": "谢谢您告诉我们。您的投诉已重新打开，由同一位负责人继续处理。",
        "open": "您的投诉正在处理中。",
        "replaced": "我们有更新的答复，请使用最近一封信息中的链接。",
        "closed": "这项投诉已结束。如果仍有问题，请来信或来电，我们会继续处理。",
        "gone": "此链接已失效。请来信或来电，我们会帮助您。",
    },
}
