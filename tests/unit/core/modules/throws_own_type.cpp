// SPDX-License-Identifier: Apache-2.0
#include <exception>

#include <qconn/core/module.hpp>

namespace {

class NoClapper : public std::exception {
public:
    const char* what() const noexcept override { return "a type that this module alone knows"; }
};

}  // namespace

void qconn_module_1(qconn::ModuleHost&) { throw NoClapper{}; }
