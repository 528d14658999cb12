class TrainingDisplay: pass
