/* SPDX-License-Identifier: MIT */
/* state-panel.h - the scheduler's whole state after the current event, as facts. */
#pragma once
#include "facts.h"

/* Writes the panel for the session's event; nothing without one. */
void ui_state_panel_write(UiFacts *facts, UiSession *session);
