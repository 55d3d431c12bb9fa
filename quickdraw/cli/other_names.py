"""What a flag that is not there was meant to be: other kits' names, and typing mistakes.

Names are those of Keras, PyTorch' examples, Hugging Face's Trainer, YouTube-8M's starter code and
the kits of camps and competitions that were made from it.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Collection

# Our flag, and what others call it; the first that a command has is the one that is meant.
_NAMES = {
    "init_from": "pretrained pretrained_weights init_checkpoint finetune fine_tune warm_start "
    "pretrained_model weights initial_checkpoint resume_from load_weights",
    "train_data_pattern": "data data_dir data_path dataset train_data train_dataset train_path "
    "train_set train_files training_data train_file train_csv input_dir input_data_pattern",
    "eval_data_pattern": "data data_dir data_path dataset eval_data val_data valid_data test_data "
    "validation_data val_dir valid_dir val_data_pattern valid_data_pattern test_data_pattern "
    "validation_data_pattern validation_set eval_path val_path valid_path eval_file "
    "input_data_pattern train_data_pattern",
    "input_data_pattern": "data data_dir data_path dataset test_data test_data_pattern test_path "
    "test_dir test_set input input_path input_dir input_file images test_file eval_data_pattern "
    "train_data_pattern",
    "data_pattern": "data data_dir data_path dataset input input_path input_dir train_data_pattern",
    "source": "data data_dir data_path dataset input input_path input_dir raw_dir src",
    "predictions": "prediction pred preds submission submission_file prediction_file input "
    "predictions_file output_file",
    "solution": "answers answer truth ground_truth gt labels target",
    "output_file": "out output output_path output_dir output_folder prediction_file "
    "predictions_file submission save_path submission_file result_file csv predictions",
    "output": "out output_path output_file html report",
    "output_dir": "out output output_path output_folder out_dir dest save_dir target_dir data_dir",
    "valid_share": "val_split valid_split validation_split val_size valid_size val_ratio val_share "
    "validation_ratio validation_size holdout",
    "split": "train_ratio train_size train_split test_size test_split test_ratio val_split "
    "valid_split validation_split val_ratio valid_ratio validation_ratio splits",
    "train_dir": "model_dir run_dir log_dir logs save_dir job_dir checkpoint_dir ckpt_dir out "
    "output output_dir output_path output_folder result_dir results_dir workdir work_dir exp_dir "
    "saved_model_dir run checkpoint_path checkpoint_file ckpt load load_model weights model_path",
    "batch_size": "b bs batch batch_sz mini_batch_size minibatch train_batch_size "
    "per_device_train_batch_size eval_batch_size test_batch_size global_batch_size",
    "num_epochs": "e epoch epochs n_epoch n_epochs nb_epoch nb_epochs max_epoch max_epochs "
    "train_epochs num_train_epochs training_epochs",
    "max_steps": "step steps num_steps n_steps train_steps training_steps total_steps max_iter "
    "num_iterations iterations iters max_iters num_train_steps how_many_training_steps",
    "base_learning_rate": "lr learning_rate base_lr init_lr lr0 max_lr learn_rate alpha eta "
    "initial_learning_rate initial_lr starter_learning_rate",
    "schedule": "scheduler lr_schedule lr_scheduler lr_policy lr_scheduler_type lr_decay decay "
    "learning_rate_decay learning_rate_decay_examples learning_rate_schedule decay_steps step_size "
    "decay_rate gamma",
    "optimizer": "opt optim optimiser solver optimizer_name",
    "optimizer_params": "optimizer_args nesterov betas beta_1 beta_2 beta1 beta2 adam_beta1 eps "
    "adam_beta2 epsilon adam_epsilon rho",
    "weight_decay": "wd l2 regularization regularization_penalty l2_reg weight_decay_rate",
    "ema_decay": "ema moving_average moving_average_decay model_ema use_ema",
    "early_stopping": "patience early_stop early_stopping_patience es_patience",
    "plateau_patience": "lr_patience plateau",
    "plateau_factor": "factor lr_factor plateau_decay",
    "monitor": "metric eval_metric metric_for_best_model early_stopping_metric "
    "early_stopping_monitor",
    "print_model": "summary model_summary print_summary show_model show_summary",
    "crop": "crop_size center_crop central_crop",
    "pixel_mean": "mean image_mean",
    "pixel_std": "std image_std normalize normalise normalization standardize",
    "momentum": "sgd_momentum adam_momentum mu",
    "augment": "aug augmentation augmentations data_augmentation use_augmentation transform "
    "transforms auto_augment aa mixup cutmix hflip vflip reprob random_erasing random_flip",
    "model": "arch architecture network net model_name model_type backbone model_class",
    "model_params": "model_args model_kwargs hparams",
    "label_loss": "loss loss_fn loss_function criterion objective loss_name",
    "loss_params": "loss_args loss_kwargs",
    "class_weights": "class_weight pos_weight",
    "labels": "class_names label_names classes_file labels_file label_file label_map id2label",
    "balanced_sampling": "oversample oversampling balanced weighted_sampler balance_classes",
    "teacher_dir": "teacher teacher_model teacher_path",
    "use_valid_as_train": "use_valid use_validation train_on_valid use_all_data full_train",
    "image_size": "img_size imgsz input_size input_shape resolution size resize image_shape "
    "img_dim image_dim",
    "seed": "random_seed manual_seed random_state rng_seed",
    "precision": "amp fp16 bf16 half mixed_precision use_amp dtype use_fp16",
    "accumulate_steps": "gradient_accumulation_steps grad_accum accum_steps iter_size "
    "accumulate_grad_batches gradient_accumulation grad_accum_steps update_freq",
    "eval_every": "eval_steps eval_interval eval_freq evaluation_strategy val_interval "
    "validation_steps validation_freq eval_every_steps val_check_interval",
    "checkpoint_every_steps": "save_steps save_every save_freq save_interval checkpoint_steps "
    "export_model_steps save_checkpoints_steps checkpoint_interval checkpoint_every",
    "checkpoint_every_minutes": "save_secs save_model_secs save_checkpoints_secs",
    "keep_checkpoints": "max_to_keep save_total_limit keep_checkpoint_max",
    "start_new_model": "overwrite overwrite_output_dir restart fresh from_scratch force no_resume",
    "on_bad_record": "ignore_errors skip_errors",
    "deterministic": "determinism enable_op_determinism cudnn_deterministic",
    "xla": "jit jit_compile compile use_xla torch_compile",
    "mlflow": "wandb use_wandb tracking_uri mlflow_uri mlflow_tracking_uri",
    "sync_batch_norm": "sync_bn syncbn",
    "run_once": "once single_run",
    "poll_seconds": "eval_interval_secs poll interval sleep",
    "top_k": "k topk top",
    "output_probabilities": "probabilities probs proba output_probs predict_proba scores",
    "tta": "test_time_augmentation flip_test mirror",
    "ensemble_weights": "weights",
    "categories": "classes class_names labels words category",
    "per_category": "limit max_per_class num_per_class samples_per_class n_per_class "
    "max_items_per_class per_class num_samples count",
    "processes": "workers num_workers n_jobs jobs threads num_threads j nproc",
    "study_dir": "study output_dir out train_dir",
    "format": "formats export_format include",
    "host": "ip bind address server_name",
    "trials": "n_trials num_trials max_trials runs count",
    "search": "space search_space params param_space grid",
    "gpus": "num_gpu num_gpus ngpu ngpus n_gpu n_gpus gpu_count accelerator_count devices",
    "gpu": "gpu_type accelerator accelerator_type scale_tier",
    "workers": "worker_count num_machines num_nodes nodes replica_count",
    "region": "location zone",
    "project": "project_id gcp_project",
    "bucket": "staging_bucket bucket_name package_path",
    "run": "job_name name display_name run_name job",
    "image": "container_image image_uri container master_image_uri",
    "spot": "preemptible",
    "hours": "timeout max_hours max_running_time max_wait",
    "wait": "stream_logs sync follow",
    "serving_image": "container_image image serving_container_image_uri container_image_uri",
}
_REMARKS = {
    "num_gpu num_gpus ngpu ngpus n_gpu n_gpus gpu gpus gpu_id gpu_ids device devices num_devices "
    "use_gpu cuda no_cuda use_cuda cuda_device accelerator strategy use_tpu tpu": "every GPU that "
    "TensorFlow sees is used; train --distribute=none takes one, CUDA_VISIBLE_DEVICES says which",
    "num_workers workers num_readers num_threads threads n_jobs num_parallel_calls cpus "
    "use_multiprocessing dataloader_num_workers prefetch queue_size pin_memory": "all cores are "
    "used",
    "num_classes n_classes classes nb_classes": "the classes are those of the records",
    "channels num_channels in_channels image_channels": "the records say how many channels",
    "model arch architecture network model_name model_params label_loss loss loss_params "
    "image_size img_size precision": "a run knows its own; it is a flag of train alone",
    "feature_names feature_sizes frame_features segment_labels image_key input_shape": "the "
    "records say what they hold",
    "drop dropout dropout_rate drop_rate batch_norm batchnorm cell_type num_nodes lstm_cells "
    "lstm_layers moe_num_mixtures netvlad_cluster_size netvlad_hidden_size conv_layers "
    "hidden_size hidden_units units num_layers n_layers width depth "
    "filters width_mult": 'a parameter of the model, e.g. train --model_params="dropout=0.5"',
    "label_smoothing smoothing focal_gamma margin": "a parameter of the loss, e.g. train "
    '--loss_params="label_smoothing=0.1"',
    "resume resume_from resume_training restore load_checkpoint auto_resume "
    "resume_from_checkpoint": "the same command again goes on with a run",
    "clip clip_norm clip_grad clipnorm clipvalue global_clipnorm gradient_clip_val "
    "grad_clip gradient_clip clip_gradient_norm max_grad_norm": "gradients are "
    'clipped to a norm of 1; train --optimizer_params="global_clipnorm=…" says another',
    "warmup warmup_steps warmup_epochs warmup_ratio num_warmup_steps": "every --schedule of train "
    "begins with a warm-up",
    "shuffle shuffle_buffer buffer_size shuffle_size": "training drawings are always shuffled",
    "verbose v verbosity log_level log_every log_interval logging_steps print_freq display_step "
    "log_device_placement progress quiet q tensorboard": "progress, metrics.csv and TensorBoard's "
    "events are always written",
    "test_size split train_ratio test_split": "records are divided when they are made: prepare "
    "--split",
    "mode phase do_train do_eval do_predict train eval test predict task job_type": "each is a "
    "command of its own: quickdraw.train, quickdraw.eval, quickdraw.inference",
    "save_model save_best save_best_only save_weights export_model": "the best model and the last "
    "checkpoints are always kept, in train_dir",
    "top_k k topk top5": "evaluations always tell top-1, top-3 and MAP@3; inference --top_k says "
    "how many guesses an answer has",
    "step global_step ckpt_step checkpoint_step": "--checkpoint chooses the best model or the "
    "latest, where a command has it",
    "local_rank rank world_size dist_url master_addr master_port ps_hosts worker_hosts job_name "
    "task_index task_id dist_backend multiprocessing_distributed": "several machines are named "
    "by the variable TF_CONFIG",
    "version": "python -c 'import quickdraw; print(quickdraw.__version__)'",
    "runtime_version python_version": "the image of the job decides; see --image",
    "batch_size eval_batch_size": "the size of a batch changes nothing here",
}
_CLOSE = 0.7


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """The flags on the other side of a command's `--`.

    Attributes:
        names: of these flags.
        place: where they belong, in words.
    """

    names: Collection[str] = ()
    place: str = ""


NOWHERE = Elsewhere()


def hint(name: str, known: Collection[str], elsewhere: Elsewhere = NOWHERE) -> str:
    """Return how a message about an unknown flag ends: what is meant, or what there is instead.

    Args:
        name: the flag, without dashes.
        known: the flags of the command.
        elsewhere: those on the other side of its `--`.
    """
    theirs = elsewhere.names
    if name.lower().startswith(("no-", "no_")) and (meant := _same(name[3:], known)):
        return f". Did you mean --no{meant}?"
    for find in (_same, _renamed):
        if meant := find(name, known):
            return f". Did you mean --{meant}?"
        if meant := find(name, theirs):
            return f" here: --{meant} belongs {elsewhere.place}"
    plain = _plain(name)
    for words, remark in _REMARKS.items():
        if plain in map(_plain, words.split()):
            return f": {remark}"
    close = difflib.get_close_matches(plain, map(_plain, [*known, *theirs]), 1, _CLOSE)
    if close:
        return hint(close[0], known, elsewhere)
    other = _same(name, _NAMES) or _renamed(name, _NAMES)
    return f": other commands have a --{other}, this one has none" if other else ""


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _same(name: str, flags: Collection[str]) -> str | None:
    """Return the flag that is spelt so but for dashes and capitals."""
    return next((flag for flag in flags if _plain(flag) == _plain(name)), None)


def _renamed(name: str, flags: Collection[str]) -> str | None:
    """Return the flag that others call so."""
    plain = _plain(name)
    for flag, words in _NAMES.items():
        if flag in flags and plain in map(_plain, words.split()):
            return flag
    return None
