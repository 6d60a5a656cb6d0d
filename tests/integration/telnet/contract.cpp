// SPDX-License-Identifier: Apache-2.0
#include <string>
int main_placeholder();
