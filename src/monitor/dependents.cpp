// SPDX-License-Identifier: Apache-2.0
#include "monitor/dependents.hpp"

#include <utility>

namespace qconn::monitor {

Dependent::Act Dependent::due(bool manage) const noexcept {
    if (doing_ != Act::none) return Act::none;
    if (running_) return is_free(manage) ? Act::none : Act::stop;
    if (!is_free(manage) || start_failed_ || !may_start()) return Act::none;
    // Where connections start nothing, only what was asked for by an operator is started.
    return manage || asked_ || resumes_ ? Act::start : Act::none;
}

void Dependent::begun(Act act) noexcept {
    doing_ = act;
    try_again_ = false;
    if (act == Act::stop && holds_ > 0) resumes_ = true;
}

void Dependent::ended(bool ok) noexcept {
    const Act done = std::exchange(doing_, Act::none);
    if (done == Act::stop) running_ = false;
    if (done == Act::start) {
        start_failed_ = !ok && !try_again_;
        if (ok) {
            running_ = true;
            asked_ = resumes_ = false;
            if (told_ && !*told_) {
                running_ = false;
                if (wish_ == Wish::run) wish_ = Wish::ended;
            }
        }
    }
    told_.reset();
}

void Dependent::connection_came_up() noexcept {
    start_failed_ = false;
    try_again_ = doing_ == Act::start;
}

void Dependent::unhold() noexcept {
    if (--holds_ == 0) start_failed_ = false;
}

void Dependent::stop_by_hand() noexcept {
    wish_ = Wish::by_hand;
    asked_ = resumes_ = start_failed_ = false;
}

void Dependent::start_by_hand() noexcept {
    wish_ = Wish::run;
    asked_ = !running_ || doing_ == Act::stop || blocks_ > 0 || holds_ > 0;
    start_failed_ = false;
}

void Dependent::told(bool running) noexcept {
    if (doing_ == Act::stop) return;  // it is being stopped anyway
    if (doing_ == Act::start) {
        told_ = running;
        return;
    }
    if (running_ == running) return;
    running_ = running;
    wish_ = running ? Wish::run : Wish::ended;
    asked_ = resumes_ = start_failed_ = false;
}

InterfaceState Dependent::state(bool manage) const noexcept {
    const Act act = doing_ != Act::none ? doing_ : due(manage);
    if (act == Act::stop) return InterfaceState::stopping;
    if (act == Act::start) return InterfaceState::starting;
    if (running_) return InterfaceState::running;
    if (wish_ != Wish::run) return InterfaceState::stopped;
    if (holds_ > 0) return InterfaceState::disabled;
    return manage && blocks_ > 0 ? InterfaceState::blocked : InterfaceState::stopped;
}

}  // namespace qconn::monitor
