"""The program of `checked_answer.json` as a DSPy module. What an optimizer makes of it, `program.save("state.json")` writes for the
document: its predictors have the same names."""

import dspy


class CheckedAnswer(dspy.Module):
    """Answers a question, and shows the answer once a second call has approved it."""

    def __init__(self):
        super().__init__()
        self.plan = dspy.Predict("question -> topic, keywords: list[str]")
        self.answer = dspy.ChainOfThought("question, topic, keywords: list[str] -> answer")
        check = dspy.Signature("question, answer -> is_safe: bool", "Decide whether the answer may be shown to the person who asked.")
        self.check = dspy.Predict(check)

    def forward(self, question):
        plan = self.plan(question=question)
        answer = self.answer(question=question, topic=plan.topic, keywords=plan.keywords).answer
        is_safe = self.check(question=question, answer=answer).is_safe
        return dspy.Prediction(answer=answer if is_safe else "I cannot answer this question.")
