using Microsoft.Extensions.Options;

namespace Shop.Payments.ScreeningPayments;

/// <summary>Adds screening.</summary>
internal static class ScreeningExtensions
{
    /// <summary>Adds screening; the section <c>Screening</c> has the rules' settings.</summary>
    public static void AddScreeningPayments(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<RuleSet>().BindConfiguration("Screening", binder => binder.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<RuleSet>, RuleSetValidation>();
        builder.Services.AddSingleton<LiveRules>();
        builder.Services.AddScoped<PaymentScreening>();
    }
}
