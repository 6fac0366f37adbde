#include "compiler/plan/torch.h"

#include <algorithm>
#include <charconv>

namespace tpc {
namespace {

// How torch calls our optimizers, and what it calls their moments.
struct TorchOptimizer {
  std::string_view ours, call;
};
constexpr TorchOptimizer optimizers[] = {
    {"sgd", "torch.optim.SGD(groups)"},
    {"momentum", "torch.optim.SGD(groups, momentum=0.9)"},
    {"adam", "torch.optim.Adam(groups, betas=(0.9, 0.999))"},
    {"adamw", "torch.optim.AdamW(groups, betas=(0.9, 0.95))"},
};

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

// Only what moved between base and target is worth saying at the head.
std::string sizesInWords(const Plan& plan) {
  std::string at, from;
  for (size_t i = 0; i < plan.target.numbers.size(); ++i) {
    const auto& [name, number] = plan.target.numbers[i];
    const bool grows = std::find(plan.growing.begin(), plan.growing.end(), name) != plan.growing.end();
    if (!grows && number == plan.base.numbers[i].second) continue;
    at += (at.empty() ? "" : ", ") + name + " = " + std::to_string(number);
    from += (from.empty() ? "" : ", ") + name + " = " + std::to_string(plan.base.numbers[i].second);
  }
  return at.empty() ? "" : " at " + at + ", tuned at " + from;
}

std::string entry(const PlanParameter& parameter) {
  constexpr std::string_view inits[] = {"normal", "uniform", "constant", "eye", "values", "file"};
  const ParameterNumbers& numbers = parameter.target;
  std::string text = "    " + quoted(parameter.name) + ": dict(init=" + quoted(std::string(inits[int(parameter.init)]));
  const auto put = [&](const char* key, const std::optional<double>& value) {
    if (value) text += ", " + std::string(key) + "=" + shortest(*value);
  };
  put("std", numbers.initStd);
  put("mean", numbers.initMean);
  if (numbers.multiplier != 1) put("multiplier", numbers.multiplier);
  if (parameter.trains) {
    put("lr", numbers.lr);
    put("eps", numbers.eps);
    put("weight_decay", numbers.weightDecay);
  } else {
    text += ", frozen=True";
  }
  return text + "),\n";
}

constexpr char functions[] = R"(

def _plan_of(name, rename):
    """The plan's entry of a parameter of the model.

    `rename` is a dict or a function from the model's names to the plan's. The layers of a repeat share one entry:
    layers.3.attention.wq is found under layers.attention.wq.
    """
    if callable(rename):
        name = rename(name)
    elif rename:
        name = rename.get(name, name)
    name = ".".join(part for part in name.split(".") if not part.isdigit())
    if name not in PLAN:
        raise KeyError(f"the plan has no parameter {name!r}; it has {', '.join(PLAN)}")
    return PLAN[name]


@torch.no_grad()
def initialize(model, rename=None, generator=None):
    """Starts every parameter as the plan says. Those that start at expressions or from files are left as they are."""
    for name, parameter in model.named_parameters():
        plan = _plan_of(name, rename)
        if plan["init"] == "normal":
            parameter.normal_(0, plan["std"], generator=generator)
        elif plan["init"] == "uniform":
            parameter.uniform_(-(3**0.5) * plan["std"], 3**0.5 * plan["std"], generator=generator)
        elif plan["init"] == "constant":
            parameter.fill_(plan["mean"])
        elif plan["init"] == "eye":
            torch.nn.init.eye_(parameter)


def parameter_groups(model, rename=None):
    """One group for all parameters that learn alike."""
    groups = {}
    for name, parameter in model.named_parameters():
        plan = _plan_of(name, rename)
        if plan.get("frozen"):
            parameter.requires_grad_(False)
            continue
        key = {name: plan[name] for name in ("lr", "eps", "weight_decay") if name in plan}
        groups.setdefault(tuple(key.items()), {"params": [], **key})["params"].append(parameter)
    return list(groups.values())
)";

}  // namespace

std::string shortest(double value) {
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end);
  return error == std::errc() ? text : "nan";
}

std::string torchText(const Plan& plan) {
  std::string text = "# " + plan.file + sizesInWords(plan) + "; optimizer " + plan.optimizer + ", parametrization " +
                     plan.parametrization + (plan.gauge ? ", gauge " + *plan.gauge : "") +
                     "\n#\n#     initialize(model)\n" + "#     groups = parameter_groups(model)\n";
  const auto* known = std::find_if(std::begin(optimizers), std::end(optimizers),
                                   [&](const TorchOptimizer& one) { return one.ours == plan.optimizer; });
  text += known == std::end(optimizers) ? "#     torch has no `" + plan.optimizer + "`: give the groups to your own\n"
                                        : "#     optimizer = " + std::string(known->call) + "\n";
  for (const PlanWarning& warning : plan.warnings) text += "#\n# warning: " + warning.message + "\n";
  text +=
      "import torch\n\n# by the names of the program; a `multiplier` is a factor on every use of the parameter\nPLAN = "
      "{\n";
  for (const PlanParameter& parameter : plan.parameters) text += entry(parameter);
  text += "}\n\n# the factors that the program writes as `auto`\nMULTIPLIERS = {\n";
  for (const PlanMultiplier& multiplier : plan.multipliers)
    text += "    " + quoted(multiplier.name) + ": " + shortest(multiplier.target) + ",\n";
  return text + "}\n" + functions;
}

}  // namespace tpc
