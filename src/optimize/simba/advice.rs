//! The question for rules: the `OfferFeedback` of DSPy's SIMBA.

use crate::error::Result;
use crate::signature::{Field, Signature, Type};

const INSTRUCTIONS: &str = "\
You will be given two trajectories of an LLM-driven program's execution. Your goal is to help the program's modules
build up experience on how to maximize the reward value assigned to the program's outputs if it were to receive
similar inputs in the future.

The module won't see its own history. It will rely on your advice balancing being concrete and being generalizable.

In your advice:
- Avoid boilerplate. Offer advice that would change the module's behavior for the better in the future.
- Ensure that advice offered to a module M is specific to that M's specific sub-task, not the overall program.
- Rely on contrasting the behavior of the worse trajectory against the better trajectory in making recommendations.
- Ensure each unique module name appears exactly once as a key in the advice dictionary.";

const TRAJECTORY: &str = "The trajectory of the program's execution, showing each module's I/O";
const OUTPUTS: &str = "The outputs of the program that we are analyzing";
const REWARD: &str = "The reward value assigned to the program's outputs";
const REWARD_INFO: &str = "Additional information that might be helpful to understanding the assigned reward value.";

pub(super) fn signature() -> Result<Signature> {
    let text = |name, desc| Field::input(name, Type::Str).with_desc(desc);
    let number = |name, desc| Field::input(name, Type::Float).with_desc(desc);
    let fields = vec![
        text("program_code", "The code of the program that we are analyzing"),
        text("modules_defn", "The definition of each module in the program, including its I/O"),
        text("program_inputs", "The inputs to the program that we are analyzing"),
        text("oracle_metadata", "Any (hidden) metadata about the training set instance we're analyzing"),
        text("worse_program_trajectory", TRAJECTORY),
        text("worse_program_outputs", OUTPUTS),
        number("worse_reward_value", REWARD),
        text("worse_reward_info", REWARD_INFO),
        text("better_program_trajectory", TRAJECTORY),
        text("better_program_outputs", OUTPUTS),
        number("better_reward_value", REWARD),
        text("better_reward_info", REWARD_INFO),
        Field::input("module_names", Type::List(Some(Box::new(Type::Str))))
            .with_desc("The names of the modules in the program, for which we seek advice"),
        Field::output("discussion", Type::Str).with_desc("Discussing blame of where each module went wrong, if it did"),
        Field::output("module_advice", Type::Dict(Some(Box::new((Type::Str, Type::Str))))).with_desc(
            "For each module, describe very concretely: If the module receives ${description of input or patterns \
             therein}, then it should ${description of content, behavior, or strategies to adopt and/or others to \
             avoid}. Basically, your advice be such that if the module has access to your tip, it would be much more \
             likely to act like the successful trajectory rather than the lower-scoring trajectory.",
        ),
    ];
    Signature::from_fields(fields, Some(INSTRUCTIONS))
}
