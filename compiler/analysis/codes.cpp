#include "compiler/analysis/codes.h"

namespace tpc {

namespace {

// clang-format off
constexpr DiagnosticCode codes[] = {
    {"TPC0301", "an activation holds back learning rates",
     "Training would let a value grow with the size that grows, so the learning rates of what it is made of are smaller than they could be. Typical is a product of aligned vectors that is divided by the root of its length: after a step it grows like the length.",
     "param Q [d, n]\nparam K [d, n]\ns = (x @ Q) @ transpose(x @ K) / sqrt(n)\nloss = mse(softmax(s) @ x @ W @ v, y)",
     "param Q [d, n]\nparam K [d, n]\ns = (x @ Q) @ transpose(x @ K) / n\nloss = mse(softmax(s) @ x @ W @ v, y)"},
    {"TPC0302", "a value grows without bound",
     "Whatever the plan, this value is of larger order than one in the size that grows: what the program fixes makes it so.",
     "h = relu(x @ W)\nloss = mse(sum(h, axis = 1) / sqrt(n) + h @ v, y)",
     "h = relu(x @ W)\nloss = mse(sum(h, axis = 1) / n + h @ v, y)"},
    {"TPC0303", "no plan exists",
     "What the program fixes leaves no output that moves by order one in a step. Typical is one parameter whose uses ask for different sizes.",
     "param Q [d, n]\ns = sum((x @ Q) * (x @ W), axis = 1) / sqrt(n)\nloss = mse(s + x @ W @ v, y)",
     "param Q [d, n]\ns = auto * sum((x @ Q) * (x @ W), axis = 1)\nloss = mse(s + x @ W @ v, y)"},
    {"TPC0304", "an optimizer that is not analysed",
     "A plan for a parameter needs to know what its optimizer makes of a gradient that is c times as large: the update has to become c^p times as large for some p.",
     "optimizer cubic(lr) { update = -lr * (grad + grad^3) }\ntrain { optimizer = cubic }",
     "optimizer cubic(lr) { update = -lr * grad^3 }\ntrain { optimizer = cubic }"},
    {"TPC0305", "a chosen coordinate of a growing axis",
     "Sizes are those of typical coordinates. Data that choose one coordinate of a growing axis, as the target of a growing vocabulary does, see others, and no theorem covers them.",
     "target k [batch] in n\nloss = cross_entropy(x @ W, k) + mse(x @ W @ v, y)",
     "size classes = 10\ntarget k [batch] in classes\nparam R [n, classes]\nloss = cross_entropy(x @ W @ R, k) + mse(x @ W @ v, y)"},
    {"TPC0306", "a plan between sizes that it does not follow",
     "A plan carries numbers along sizes that grow and are analysed. At another number of any other size nothing is known, so the numbers stay as they are.",
     "$ tpc plan mlp.tp --target classes=100 --lr 3e-3",
     "$ tpc plan mlp.tp --target n=4096 --lr 3e-3"},
    {"TPC0307", "a derivation that is too large",
     "All growing sizes together may take 20 million steps. A network of layers is best written as a `repeat`, whose body is derived once; sizes that need not grow are fixed with --fix.",
     "h = x @ W\nh = tanh(h @ V)\n... half a million times the same",
     "h = x @ W\nrepeat 500000 { h = tanh(h @ V) }"},
    {"TPC0308", "gradients that start smaller than they become",
     "Under gradient descent an update follows the gradient. One that starts small, behind a gate at zero or before a sum that adds up only once its terms are aligned, asks for a larger learning rate in the first step than in those that follow. The plan is for the latter, and under it the first steps move no output by order one.",
     "param s [] init 0\nloss = mse(s * (relu(x @ W) @ v), y)\ntrain { optimizer = sgd }",
     "param s [] init 1\nloss = mse(s * (relu(x @ W) @ v), y)\ntrain { optimizer = sgd }"},
    {"TPC0309", "a repeat that is not analysed over its trip count",
     "What many layers come to is derived where each hands on what it is given and adds to it. Where it is replaced, as in h <- f(h), a number of the nonlinearity decides, which exponents do not know; scaled or mixed streams, and repeats inside of repeats, are not analysed by this version. Nothing is then said of the trip count, and the other sizes are analysed as ever.",
     "size L = 4 -> inf\nh = x @ W\nrepeat L {\n  param R [n, n]\n  h = tanh(h @ R)\n}\nloss = mse(h @ v, y)",
     "size L = 4 -> inf\nh = x @ W\nrepeat L {\n  param R [n, n]\n  h += auto(L) * tanh(h @ R)\n}\nloss = mse(h @ v, y)"},
    {"TPC0310", "a carried value that grows exponentially with the number of layers",
     "What a layer adds is proportional to what it is given, and too large: the layers multiply.",
     "size L = 4 -> inf\nh = x @ W\nrepeat L {\n  param R [n, n]\n  h += L^(-1/4) * (h @ R)\n}\nloss = mse(h @ v, y)",
     "size L = 4 -> inf\nh = x @ W\nrepeat L {\n  param R [n, n]\n  h += auto(L) * (h @ R)\n}\nloss = mse(h @ v, y)"},
    {"TPC0311", "a carried value whose order exponents do not decide",
     "Each layer changes the carried value, or its gradient, by about its share 1/l of it: what comes of that is a power of the number of layers whose exponent is a number of the nonlinearity. Or what a layer adds grows faster than what it is given, and stays bounded below a threshold only.",
     "size L = 4 -> inf\nh = x @ W\nrepeat L as i {\n  param R [n, n]\n  h += (i + 1)^(-1/2) * (h @ R)\n}\nloss = mse(h @ v, y)",
     "size L = 4 -> inf\nh = x @ W\nrepeat L as i {\n  param R [n, n]\n  h += auto(L) * (h @ R)\n}\nloss = mse(h @ v, y)"},
    {"TPC0312", "a branch without a multiplier of its own",
     "What a layer adds has to be small where there are many layers. The program writes no multiplier there, so the plan puts it into the last matrix: its init and its learning rate carry it.",
     "size L = 4 -> inf\nh = x @ W\nrepeat L {\n  param R [n, n]\n  h += tanh(h) @ R\n}\nloss = mse(h @ v, y)",
     "size L = 4 -> inf\nh = x @ W\nrepeat L {\n  param R [n, n]\n  h += auto(L) * (tanh(h) @ R)\n}\nloss = mse(h @ v, y)"},
    {"TPC0313", "a difference that may cancel",
     "Two means over a growing axis come near limits. Where the limits are one, their difference is no larger than what is left of the means without them, the root of the length smaller; whether they are cannot always be told. Attention by the difference of two energies is uniform at first for this reason.",
     "a = mean((x @ W)^2, axis = -1)\ns = tanh(a[:, new] - a[new, :])\nloss = mse(mean(s, axis = -1) + x @ W @ v, y)",
     "a = mean((x @ W)^2, axis = -1)\ns = tanh(a - 1)\nloss = mse(s + x @ W @ v, y)"},
};
// clang-format on

}  // namespace

std::span<const DiagnosticCode> analysisCodes() { return codes; }

}  // namespace tpc
