/* SPDX-License-Identifier: MIT */
/* why-panel.h - why the selected G does not run at the cursor's event, in the side pane. */
#pragma once
#include "facts.h"

void ui_why_panel_write(UiFacts *facts, UiSession *session);
